//! The Lambda function `find-account`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve_operator(find_account::handle)
}
