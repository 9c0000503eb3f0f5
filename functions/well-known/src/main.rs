//! The Lambda function `well-known`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve(well_known::handle)
}
