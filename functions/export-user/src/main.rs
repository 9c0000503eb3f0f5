//! The Lambda function `export-user`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(export_user::handle)
}
