//! The Lambda function `sign-in`.

fn main() -> Result<(), shared::runtime::Error> {
    shared::runtime::serve(sign_in::handle)
}
