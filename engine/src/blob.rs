//! The compression container.  Which damaged frames decode, and to what, is consensus: the
//! reference's own crate drives the very libzstd that it was recorded with.
use crate::border::{bytes, give, guard};
use sp_maybe_compressed_blob::{Error, compress_strongly, decompress};
use std::borrow::Cow;

/// # Safety
/// As include/pvf_shim.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvf_shim_decompress(
    data: *const u8,
    len: usize,
    limit: usize,
    out: *mut *mut u8,
    out_len: *mut usize,
    out_cap: *mut usize,
    borrowed: *mut bool,
) -> i32 {
    let blob = unsafe { bytes(data, len) };
    // The crate reads one byte past the limit, and its sum may not wrap to "nothing at all".
    let limit = limit.min(usize::MAX - 1);
    guard(|| match decompress(blob, limit) {
        Ok(Cow::Borrowed(plain)) => {
            // SAFETY: the caller's five outputs are writable.
            unsafe {
                *out = plain.as_ptr().cast_mut();
                *out_len = plain.len();
                *out_cap = 0;
                *borrowed = true;
            }
            0
        }
        Ok(Cow::Owned(plain)) => {
            // SAFETY: as above.
            unsafe {
                give(plain, out, out_len, out_cap);
                *borrowed = false;
            }
            0
        }
        Err(Error::Invalid) => 1,
        Err(Error::PossibleBomb) => 2,
    })
}

/// # Safety
/// As include/pvf_shim.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvf_shim_compress(
    data: *const u8,
    len: usize,
    limit: usize,
    out: *mut *mut u8,
    out_len: *mut usize,
    out_cap: *mut usize,
) -> i32 {
    let plain = unsafe { bytes(data, len) };
    guard(|| match compress_strongly(plain, limit) {
        Some(blob) => {
            // SAFETY: the caller's three outputs are writable.
            unsafe { give(blob, out, out_len, out_cap) };
            0
        }
        None => 1,
    })
}
