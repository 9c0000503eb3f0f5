//! The Lambda function `update-profile`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(update_profile::handle)
}
