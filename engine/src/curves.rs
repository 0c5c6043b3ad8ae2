//! The curve operations of the optional host functions, on the reference's own arithmetic: results
//! for points off the curve, or outside the subgroup, are defined by it and nothing else.
use crate::border::{bytes, bytes_mut, guard};
use ark_bls12_381::Bls12_381;
use ark_ec::{
    CurveConfig, CurveGroup,
    pairing::{MillerLoopOutput, Pairing},
    short_weierstrass as sw, twisted_edwards as te,
};
use ark_ff::Zero;
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize, Compress, Validate};

/// Result codes of the host functions.
#[derive(Clone, Copy)]
enum Fault {
    ShortOutput = 1,
    Decode = 2,
    LengthMismatch = 3,
    Degenerate = 4,
    Other = 255,
}

type Outcome = Result<(), Fault>;

/// Uncompressed and unchecked, trailing bytes ignored: the convention of these host functions.
fn decode<T: CanonicalDeserialize>(mut input: &[u8]) -> Result<T, Fault> {
    T::deserialize_with_mode(&mut input, Compress::No, Validate::No).map_err(|_| Fault::Decode)
}

fn encode<T: CanonicalSerialize>(value: &T, out: &mut [u8]) -> Outcome {
    if value.serialized_size(Compress::No) > out.len() {
        return Err(Fault::ShortOutput);
    }
    value.serialize_with_mode(out, Compress::No).map_err(|_| Fault::Other)
}

fn sw_mul<C: sw::SWCurveConfig>(base: &[u8], scalar: &[u8], out: &mut [u8]) -> Outcome {
    let base: sw::Affine<C> = decode(base)?;
    let limbs: Vec<u64> = decode(scalar)?;
    encode(&C::mul_affine(&base, &limbs).into_affine(), out)
}

fn sw_msm<C: sw::SWCurveConfig>(bases: &[u8], scalars: &[u8], out: &mut [u8]) -> Outcome {
    let bases: Vec<sw::Affine<C>> = decode(bases)?;
    let scalars: Vec<<C as CurveConfig>::ScalarField> = decode(scalars)?;
    let sum = C::msm(&bases, &scalars).map_err(|_| Fault::LengthMismatch)?;
    encode(&sum.into_affine(), out)
}

/// Such a point has no affine form: it comes from inputs off the curve only.
fn te_encode<C: te::TECurveConfig>(point: te::Projective<C>, out: &mut [u8]) -> Outcome {
    if point.z.is_zero() {
        return Err(Fault::Degenerate);
    }
    encode(&point.into_affine(), out)
}

fn te_mul<C: te::TECurveConfig>(base: &[u8], scalar: &[u8], out: &mut [u8]) -> Outcome {
    let base: te::Affine<C> = decode(base)?;
    let limbs: Vec<u64> = decode(scalar)?;
    te_encode(C::mul_affine(&base, &limbs), out)
}

fn te_msm<C: te::TECurveConfig>(bases: &[u8], scalars: &[u8], out: &mut [u8]) -> Outcome {
    let bases: Vec<te::Affine<C>> = decode(bases)?;
    let scalars: Vec<<C as CurveConfig>::ScalarField> = decode(scalars)?;
    let sum = C::msm(&bases, &scalars).map_err(|_| Fault::LengthMismatch)?;
    te_encode(sum, out)
}

fn miller_loop(g1: &[u8], g2: &[u8], out: &mut [u8]) -> Outcome {
    let g1: Vec<<Bls12_381 as Pairing>::G1Affine> = decode(g1)?;
    let g2: Vec<<Bls12_381 as Pairing>::G2Affine> = decode(g2)?;
    // Lists of unequal length panic in there, which is a trap of the guest: so it is in the
    // reference.
    encode(&Bls12_381::multi_miller_loop(g1, g2).0, out)
}

fn final_exponentiation(target: &[u8], out: &mut [u8]) -> Outcome {
    let target: <Bls12_381 as Pairing>::TargetField = decode(target)?;
    let result = Bls12_381::final_exponentiation(MillerLoopOutput(target)).ok_or(Fault::Other)?;
    encode(&result.0, out)
}

fn run(op: u32, a: &[u8], b: &[u8], out: &mut [u8]) -> Outcome {
    use ark_bls12_381::{g1, g2};
    use ark_ed_on_bls12_381_bandersnatch::BandersnatchConfig;
    match op {
        0 => miller_loop(a, b, out),
        1 => final_exponentiation(a, out),
        2 => sw_msm::<g1::Config>(a, b, out),
        3 => sw_msm::<g2::Config>(a, b, out),
        4 => sw_mul::<g1::Config>(a, b, out),
        5 => sw_mul::<g2::Config>(a, b, out),
        6 => te_msm::<BandersnatchConfig>(a, b, out),
        7 => te_mul::<BandersnatchConfig>(a, b, out),
        8 => sw_msm::<ark_pallas::PallasConfig>(a, b, out),
        9 => sw_mul::<ark_pallas::PallasConfig>(a, b, out),
        10 => sw_msm::<ark_vesta::VestaConfig>(a, b, out),
        11 => sw_mul::<ark_vesta::VestaConfig>(a, b, out),
        _ => Err(Fault::Other),
    }
}

/// # Safety
/// As include/pvf_shim.h says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pvf_shim_curve(
    op: u32,
    a: *const u8,
    a_len: usize,
    b: *const u8,
    b_len: usize,
    out: *mut u8,
    out_len: usize,
) -> i32 {
    let (a, b, out) = unsafe { (bytes(a, a_len), bytes(b, b_len), bytes_mut(out, out_len)) };
    guard(|| run(op, a, b, out).map_or_else(|fault| fault as i32, |()| 0))
}
