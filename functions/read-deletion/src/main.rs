//! The Lambda function `read-deletion`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(read_deletion::handle)
}
