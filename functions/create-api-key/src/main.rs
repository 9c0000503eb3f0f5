//! The Lambda function `create-api-key`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(create_api_key::handle)
}
