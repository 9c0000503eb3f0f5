//! The Lambda function `list-api-keys`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(list_api_keys::handle)
}
