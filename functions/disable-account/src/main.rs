//! The Lambda function `disable-account`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve_operator(disable_account::handle)
}
