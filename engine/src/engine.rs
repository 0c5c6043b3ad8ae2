//! What the engine's C API does not offer.
use crate::border::{guard_text, quiet_thread};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::{
    ffi::{c_char, c_int},
    fs::File,
    mem::ManuallyDrop,
    os::fd::FromRawFd,
};
use wasmtime_c_api::{
    wasm_byte_vec_t, wasm_config_t, wasm_engine_t, wasmtime_error_t, wasmtime_module_t,
};

/// What a first thread has nearly everywhere, so that no function needs more on another one.
const THREAD_STACK: usize = 8 << 20;

/// So many threads for what runs inside, or, where the machine gives none, the caller's own.
fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .stack_size(THREAD_STACK)
        .start_handler(|_| quiet_thread())
        .build()
        .or_else(|_| ThreadPoolBuilder::new().num_threads(1).use_current_thread().build())
        .expect("a pool of the caller's own thread needs nothing")
}

/// Compiles without publishing: no code is mapped executable in the process that compiled it.
///
/// # Safety
/// As include/pvf_shim.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvf_engine_precompile(
    engine: &wasm_engine_t,
    wasm: *const u8,
    len: usize,
    threads: usize,
    out: &mut wasm_byte_vec_t,
    panicked: &mut bool,
) -> Option<Box<wasmtime_error_t>> {
    let wasm = unsafe { crate::border::bytes(wasm, len) };
    *panicked = false;
    let compiled = guard_text(|| {
        if threads > 1 {
            pool(threads).install(|| engine.engine.precompile_module(wasm))
        } else {
            engine.engine.precompile_module(wasm)
        }
    });
    match compiled {
        Ok(Ok(artifact)) => {
            out.set_buffer(artifact);
            None
        }
        Ok(Err(error)) => Some(Box::new(wasmtime_error_t::from(error))),
        Err(text) => {
            *panicked = true;
            Some(Box::new(wasmtime_error_t::from(wasmtime::Error::msg(text))))
        }
    }
}

/// Maps an artifact from a descriptor, which stays the caller's: nothing is read or copied, so the
/// bytes must not be able to change, and the caller must trust them.
///
/// # Safety
/// As include/pvf_shim.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvf_engine_module_from_fd(
    engine: &wasm_engine_t,
    fd: c_int,
    out: *mut *mut wasmtime_module_t,
) -> Option<Box<wasmtime_error_t>> {
    let loaded = guard_text(|| {
        if fd < 0 {
            return Err(wasmtime::Error::msg("no file descriptor"));
        }
        // SAFETY: the descriptor is open and lent; a clone of it is what the engine owns.
        let lent = ManuallyDrop::new(unsafe { File::from_raw_fd(fd) });
        let own = lent.try_clone()?;
        unsafe { wasmtime::Module::deserialize_open_file(&engine.engine, own) }
    });
    match loaded {
        Ok(Ok(module)) => {
            unsafe { *out = Box::into_raw(Box::new(wasmtime_module_t { module })) };
            None
        }
        Ok(Err(error)) => Some(Box::new(wasmtime_error_t::from(error))),
        Err(text) => Some(Box::new(wasmtime_error_t::from(wasmtime::Error::msg(text)))),
    }
}

/// Whether artifacts tell from which place of the module each instruction comes.
#[unsafe(no_mangle)]
pub extern "C" fn pvf_engine_config_address_map(config: &mut wasm_config_t, enable: bool) {
    config.config.generate_address_map(enable);
}

/// Whether artifacts have a table of symbols, for debuggers.
#[cfg(pvf_engine_debug_symbols)]
#[unsafe(no_mangle)]
pub extern "C" fn pvf_engine_config_debug_symbols(config: &mut wasm_config_t, enable: bool) {
    config.config.debug_symbols(enable);
}

/// The engine's full version, such as "48.0.8".
#[unsafe(no_mangle)]
pub extern "C" fn pvf_engine_version() -> *const c_char {
    concat!(env!("PVF_ENGINE_VERSION"), "\0").as_ptr().cast()
}
