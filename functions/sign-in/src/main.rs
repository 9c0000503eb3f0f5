//! The Lambda function `sign-in`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(sign_in::handle)
}
