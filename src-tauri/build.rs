//! Builds the app's resources, and checks what its window may ask for.

use std::path::Path;
use tauri_build::{AppManifest, Attributes};

/// Stands in for the interface where that was not built: `cargo build` needs no Node.
const NOT_BUILT: &str = "<!doctype html><meta charset=\"utf-8\"><title>Threadline</title>\
    <p>The interface is not built. Run <code>cargo xtask ui</code>, then build again.</p>";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dist = Path::new("ui/dist");
    if !dist.join("index.html").exists() {
        std::fs::create_dir_all(dist)?;
        std::fs::write(dist.join("index.html"), NOT_BUILT)?;
    }
    println!("cargo:rerun-if-changed=ui/dist");
    tauri_build::try_build(
        Attributes::new()
            .capabilities_path_pattern("./src-tauri/capabilities/**/*")
            .app_manifest(AppManifest::new().permissions_path_pattern("./src-tauri/permissions/**/*")),
    )?;
    Ok(())
}
