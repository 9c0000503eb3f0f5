//! The hash, by every implementation worth a look: each in a process of its own, which hashes when
//! told to, in turns, and says how long it took and what came out.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use super::Failure;
use super::samples::Samples;
use super::table::{Table, ms};

/// Processes of each implementation, which give one first hash each.
const PROCESSES: usize = 10;
/// Later hashes in each of them.
const LATER: usize = 30;

/// An implementation.
struct Candidate {
    name: &'static str,
    /// The program and its arguments, from the workspace's root.
    command: &'static [&'static str],
}

const CANDIDATES: [Candidate; 7] = [
    Candidate {
        name: "`argon2-rust`, as used here",
        command: &["target/release/hash", "argon2-rust"],
    },
    Candidate {
        name: "`argon2-rust`, AVX2 at most",
        command: &["target/avx2/release/hash", "argon2-rust"],
    },
    Candidate {
        name: "`argon2`",
        command: &["target/release/hash", "argon2"],
    },
    Candidate {
        name: "`argon2`, built for AVX2",
        command: &["target/avx2/release/hash", "argon2"],
    },
    Candidate {
        name: "`argon2`, built for this processor",
        command: &["target/native/release/hash", "argon2"],
    },
    Candidate {
        name: "libargon2, by `argon2-cffi`",
        command: &[".venv/bin/python", "tests/hashes/hash.py"],
    },
    Candidate {
        name: "`@node-rs/argon2`",
        command: &["node", "tests/hashes/hash.mjs"],
    },
];

/// First and later hashes of all of them.
pub(super) fn measure() -> Result<Table, Failure> {
    let mut figures: Vec<(Samples, Samples)> =
        CANDIDATES.iter().map(|_| Default::default()).collect();
    let mut tags = Vec::new();
    for _ in 0..PROCESSES {
        let mut running = Vec::new();
        for (candidate, (first, _)) in CANDIDATES.iter().zip(&mut figures) {
            let mut process = Process::start(candidate)?;
            let hashed = process.hash()?;
            first.add(hashed.took);
            tags.push(hashed.tag);
            running.push(process);
        }
        for _ in 0..LATER {
            for (process, (_, later)) in running.iter_mut().zip(&mut figures) {
                let hashed = process.hash()?;
                later.add(hashed.took);
                tags.push(hashed.tag);
            }
        }
    }
    tags.sort_unstable();
    tags.dedup();
    if tags.len() != 1 {
        return Err(format!("implementations differ: {tags:?}").into());
    }
    let mut table = Table::new([
        "19 MiB, 2 passes, 1 lane",
        "first, ms",
        "later p50, ms",
        "later p99",
    ]);
    for (candidate, (first, later)) in CANDIDATES.iter().zip(&figures) {
        table.add([
            candidate.name.to_owned(),
            ms(first.p50()),
            ms(later.p50()),
            ms(later.p99()),
        ]);
    }
    Ok(table)
}

struct Process {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

struct Hashed {
    took: Duration,
    tag: String,
}

impl Process {
    fn start(candidate: &Candidate) -> Result<Self, Failure> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let (program, arguments) = candidate.command.split_first().unwrap_or((&"", &[]));
        let program = if program.contains('/') {
            root.join(program)
        } else {
            program.into()
        };
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(&root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error} (`make bench` makes it)", candidate.name))?;
        let orders = child.stdin.take().ok_or("no way in")?;
        let answers = BufReader::new(child.stdout.take().ok_or("no way out")?);
        Ok(Self {
            child,
            orders,
            answers,
        })
    }

    fn hash(&mut self) -> Result<Hashed, Failure> {
        self.orders.write_all(b"\n")?;
        self.orders.flush()?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        let (nanoseconds, tag) = answer
            .trim()
            .split_once(' ')
            .ok_or_else(|| format!("not a hash: {answer:?}"))?;
        Ok(Hashed {
            took: Duration::from_nanos(nanoseconds.parse()?),
            tag: tag.to_owned(),
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Either fails only if the process has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
