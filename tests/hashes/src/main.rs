//! A candidate of `make bench`: hashes one password for each line that comes in, in memory that is
//! kept, and says in how many nanoseconds and what came out.

use std::error::Error;
use std::io::Write;
use std::time::{Duration, Instant};

const PASSWORD: &[u8] = b"correct horse battery";
const SALT: &[u8] = b"salt of 16 bytes";
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

type Failure = Box<dyn Error>;
type Tag = [u8; 32];

fn main() -> Result<(), Failure> {
    match std::env::args().nth(1).as_deref() {
        Some("argon2") => serve(argon2()?),
        Some("argon2-rust") => serve(argon2_rust()?),
        _ => Err("hash argon2 | argon2-rust".into()),
    }
}

fn serve(mut hash: impl FnMut() -> Result<Tag, Failure>) -> Result<(), Failure> {
    for line in std::io::stdin().lines() {
        line?;
        let started = now();
        let tag = hash()?;
        let took: Duration = now() - started;
        write!(std::io::stdout(), "{} ", took.as_nanos())?;
        for byte in tag {
            write!(std::io::stdout(), "{byte:02x}")?;
        }
        writeln!(std::io::stdout())?;
    }
    Ok(())
}

fn argon2() -> Result<impl FnMut() -> Result<Tag, Failure>, Failure> {
    use argon2::{Algorithm, Argon2, Block, Params, Version};

    let params = Params::new(MEMORY_KIB, PASSES, 1, None)?;
    let blocks = params.block_count();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut memory = Vec::new();
    Ok(move || {
        // Had with the first hash, as its memory is.
        memory.resize(blocks, Block::default());
        let mut tag = Tag::default();
        argon2.hash_password_into_with_memory(PASSWORD, SALT, &mut tag, &mut memory)?;
        Ok(tag)
    })
}

fn argon2_rust() -> Result<impl FnMut() -> Result<Tag, Failure>, Failure> {
    use argon2_rust::params::Memory;
    use argon2_rust::{Algorithm, Argon2, Params, Version};

    let params = Params::builder()
        .memory(Memory::kib(MEMORY_KIB.into()))
        .passes(PASSES)
        .build()?;
    let mut hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hasher();
    Ok(move || {
        let mut tag = Tag::default();
        hasher.hash_into(PASSWORD, SALT, &mut tag)?;
        Ok(tag)
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures the time that really passes"
)]
fn now() -> Instant {
    Instant::now()
}
