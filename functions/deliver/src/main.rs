//! The Lambda function `deliver`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve_worker::<deliver::Deliver>()
}
