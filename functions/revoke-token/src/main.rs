//! The Lambda function `revoke-token`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(revoke_token::handle)
}
