//! The Lambda function `default-route`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve_without_keys(default_route::handle)
}
