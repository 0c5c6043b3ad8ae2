//! One static library for the two workers: Wasmtime's C API, and a small C interface
//! (include/pvf_shim.h) to the crates whose exact behaviour is consensus.

// Keeps the C API's symbols in the archive.
pub use wasmtime_c_api::*;

mod alloc;
mod blob;
mod border;
mod crypto;
mod curves;
mod engine;
mod hash;
