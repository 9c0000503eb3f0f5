//! The Lambda function `rotate-keys`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve_operator(rotate_keys::handle)
}
