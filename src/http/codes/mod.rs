//! `/v1/codes/{code}`: what its importer and inspectors may ask about one code.

pub mod symbol;
pub mod timeline;

use super::{App, error::Problem};
use crate::{
    code::{Code, Verification},
    service::Caller,
};

/// A code from a path, with its run and product, where the caller may see it. A code that does not prove itself is as
/// unknown as one that was never issued.
async fn code_of(
    app: &App,
    caller: &Caller,
    text: &str,
) -> Result<(Code, crate::registration::Run, Option<crate::code::Gtin>), Problem> {
    let code = Code::parse(text).map_err(|error| Problem::invalid("code", error.to_string()))?;
    let unknown = || Problem::not_found(format!("there is no code {code}"));
    if !matches!(app.service.keys.verify(&code), Verification::Valid | Verification::Retired) {
        return Err(unknown());
    }
    let (run, gtin) = app.run(caller, &code.run.to_string()).await?;
    if code.serial.get() >= run.count {
        return Err(unknown());
    }
    Ok((code, run, gtin))
}
