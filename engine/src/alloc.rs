//! Counts what is allocated while a job compiles, as the preparation limit demands: requested
//! bytes, from zero at the start, no matter how the allocator rounds.  Off unless a job asks.
use std::{
    alloc::{GlobalAlloc, Layout, System},
    ptr::null_mut,
    sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, Ordering::Relaxed},
};

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static ENABLED: AtomicBool = AtomicBool::new(false);
static CURRENT: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);
static LIMIT: AtomicI64 = AtomicI64::new(i64::MAX);
static ON_LIMIT: AtomicPtr<()> = AtomicPtr::new(null_mut());

fn count(delta: i64) -> i64 {
    let current = CURRENT.fetch_add(delta, Relaxed).wrapping_add(delta);
    // Looked at first: far from the peak, which is nearly always, no thread waits for another.
    if delta > 0
        && PEAK.load(Relaxed) < current
        && PEAK.fetch_max(current, Relaxed) < current
        && current > LIMIT.load(Relaxed)
    {
        // Taken, not read: whoever crosses the limit first calls it, and nobody else.
        let callback = ON_LIMIT.swap(null_mut(), Relaxed);
        if !callback.is_null() {
            // SAFETY: pvf_shim_alloc_track stored a function pointer of this very type.
            let callback: extern "C" fn() = unsafe { std::mem::transmute(callback) };
            callback();
        }
    }
    current
}

// SAFETY: every request goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if ENABLED.load(Relaxed) {
            count(layout.size() as i64);
        }
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if ENABLED.load(Relaxed) {
            count(layout.size() as i64);
        }
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, data: *mut u8, layout: Layout) {
        if ENABLED.load(Relaxed) {
            count(-(layout.size() as i64));
        }
        unsafe { System.dealloc(data, layout) }
    }

    unsafe fn realloc(&self, data: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if ENABLED.load(Relaxed) {
            count(size as i64 - layout.size() as i64);
        }
        unsafe { System.realloc(data, layout, size) }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn pvf_shim_alloc_track(limit: i64, on_limit: Option<extern "C" fn()>) {
    CURRENT.store(0, Relaxed);
    PEAK.store(0, Relaxed);
    LIMIT.store(if limit > 0 { limit } else { i64::MAX }, Relaxed);
    ON_LIMIT.store(on_limit.map_or(null_mut(), |f| f as *mut ()), Relaxed);
    ENABLED.store(true, Relaxed);
}

#[unsafe(no_mangle)]
pub extern "C" fn pvf_shim_alloc_add(delta: i64) -> i64 {
    if ENABLED.load(Relaxed) { count(delta) } else { 0 }
}

#[unsafe(no_mangle)]
pub extern "C" fn pvf_shim_alloc_peak() -> i64 {
    ENABLED.store(false, Relaxed);
    PEAK.load(Relaxed)
}
