//! The Lambda function `get-profile`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(get_profile::handle)
}
