//! Copies the C headers that Wasmtime's C API made for exactly our feature list beside the static
//! library.  Headers from anywhere else may declare functions that this build does not contain.
use std::{env, fs, io, path::Path};

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(pvf_engine_debug_symbols)");
    // The setting came after the reference's version.
    let version = env::var("PVF_ENGINE_VERSION").unwrap_or_default();
    let major = version.split('.').next().and_then(|text| text.parse::<u32>().ok());
    if major.is_some_and(|major| major >= 48) {
        println!("cargo:rustc-cfg=pvf_engine_debug_symbols");
    }
    println!("cargo:rerun-if-env-changed=PVF_ENGINE_INCLUDE_OUT");
    if let Some(out) = env::var_os("PVF_ENGINE_INCLUDE_OUT") {
        let headers = env::var_os("DEP_WASMTIME_C_API_INCLUDE")
            .ok_or_else(|| io::Error::other("the engine's C API named no header folder"))?;
        copy_tree(Path::new(&headers), Path::new(&out))?;
    }
    Ok(())
}
