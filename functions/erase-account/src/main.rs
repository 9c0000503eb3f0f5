//! The Lambda function `erase-account`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve_worker::<erase_account::EraseAccount>()
}
