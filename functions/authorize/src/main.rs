//! The Lambda function `authorize`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve_operator(authorize::handle)
}
