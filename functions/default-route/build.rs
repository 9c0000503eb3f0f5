//! Writes the methods and paths of all routes in template.yaml as an array.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use serde_json::Value;

const TEMPLATE: &str = "../../template.yaml";

#[expect(clippy::disallowed_methods, reason = "Cargo sets the variable")]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={TEMPLATE}");
    let template: Value = serde_saphyr::from_str(&fs::read_to_string(TEMPLATE)?)?;
    let resources = template.pointer("/Resources").and_then(Value::as_object);
    let resources = resources.ok_or("no resources")?;
    let routes: Vec<(&str, &str)> = resources
        .values()
        .filter_map(|resource| resource.pointer("/Properties/Events")?.as_object())
        .flat_map(|events| events.values())
        .filter_map(|event| {
            let text = |pointer| event.pointer(pointer)?.as_str();
            Some((text("/Properties/Method")?, text("/Properties/Path")?))
        })
        .collect();
    let file = PathBuf::from(env::var("OUT_DIR")?).join("routes.rs");
    Ok(fs::write(file, format!("{routes:?}"))?)
}
