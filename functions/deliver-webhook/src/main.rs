//! The Lambda function `deliver-webhook`.

fn main() -> std::process::ExitCode {
    shared::runtime::serve_worker::<deliver_webhook::DeliverWebhook>()
}
