//! The Lambda function `introspect-token`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(introspect_token::handle)
}
