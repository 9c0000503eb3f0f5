//! The Lambda function `change-username`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(change_username::handle)
}
