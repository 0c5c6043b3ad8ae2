//! Signatures whose edge cases are consensus, by the reference's own crates.
use crate::border::{array, bytes, guard};
use ed25519_zebra::{Signature, VerificationKey};
use schnorrkel::PublicKey;

/// The context of every signature of Substrate.
const CONTEXT: &[u8] = b"substrate";

/// # Safety
/// As include/pvf_shim.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvf_shim_ed25519_verify(
    sig: *const u8,
    msg: *const u8,
    msg_len: usize,
    key: *const u8,
) -> i32 {
    let (sig, msg, key) = unsafe { (array::<64>(sig), bytes(msg, msg_len), array::<32>(key)) };
    guard(|| {
        let Ok(key) = VerificationKey::try_from(key) else { return 0 };
        key.verify(&Signature::from(sig), msg).is_ok().into()
    })
}

/// # Safety
/// As include/pvf_shim.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvf_shim_sr25519_verify(
    sig: *const u8,
    msg: *const u8,
    msg_len: usize,
    key: *const u8,
    deprecated: bool,
) -> i32 {
    let (sig, msg, key) = unsafe { (array::<64>(sig), bytes(msg, msg_len), array::<32>(key)) };
    guard(|| {
        let Ok(key) = PublicKey::from_bytes(&key) else { return 0 };
        let good = if deprecated {
            key.verify_simple_preaudit_deprecated(CONTEXT, msg, &sig).is_ok()
        } else {
            let Ok(sig) = schnorrkel::Signature::from_bytes(&sig) else { return 0 };
            key.verify_simple(CONTEXT, msg, &sig).is_ok()
        };
        good.into()
    })
}
