//! The border to C: no panic crosses it, and no pointer is read for a length of zero.
use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Once,
};

/// What every function returns when a panic was caught.
pub const PANIC: i32 = -1;

/// Runs `work` and turns a panic into `PANIC`.
pub fn guard(work: impl FnOnce() -> i32) -> i32 {
    quietly(work).unwrap_or(PANIC)
}

/// As `guard`, for work with another result; a panic's text is the error.
pub fn guard_text<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    quietly(work).map_err(|payload| {
        let text = payload.downcast_ref::<&str>().map(|s| s.to_string());
        text.or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "unknown panic payload".into())
    })
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// The text that the standard library prints for a panic is dropped here: hostile input must not
/// be able to write to a validator's log.  A panic elsewhere ends the process and keeps its text.
fn quietly<T>(work: impl FnOnce() -> T) -> std::thread::Result<T> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                loud(info);
            }
        }));
    });
    let before = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(before);
    result
}

/// For a thread that works for guarded code: what it panics with is told by its caller.
pub fn quiet_thread() {
    GUARDED.set(true);
}

/// # Safety
/// `data` points to `len` readable bytes, or `len` is 0.
pub unsafe fn bytes<'a>(data: *const u8, len: usize) -> &'a [u8] {
    if len == 0 {
        return &[];
    }
    unsafe { std::slice::from_raw_parts(data, len) }
}

/// # Safety
/// `data` points to `len` writable bytes that nothing else uses, or `len` is 0.
pub unsafe fn bytes_mut<'a>(data: *mut u8, len: usize) -> &'a mut [u8] {
    if len == 0 {
        return &mut [];
    }
    unsafe { std::slice::from_raw_parts_mut(data, len) }
}

/// # Safety
/// `data` points to `N` readable bytes.
pub unsafe fn array<const N: usize>(data: *const u8) -> [u8; N] {
    unsafe { *data.cast::<[u8; N]>() }
}

/// Gives a vector's memory to C; `pvf_shim_buffer_free` takes it back.
///
/// # Safety
/// The three pointers are writable.
pub unsafe fn give(vec: Vec<u8>, out: *mut *mut u8, len: *mut usize, cap: *mut usize) {
    let mut vec = std::mem::ManuallyDrop::new(vec);
    unsafe {
        *out = vec.as_mut_ptr();
        *len = vec.len();
        *cap = vec.capacity();
    }
}

/// # Safety
/// The arguments came from one function of this library, and are used once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvf_shim_buffer_free(data: *mut u8, len: usize, cap: usize) {
    if !data.is_null() && cap > 0 {
        drop(unsafe { Vec::from_raw_parts(data, len, cap) });
    }
}
