//! The Lambda function `revoke-api-key`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(revoke_api_key::handle)
}
