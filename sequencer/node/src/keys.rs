//! Keys of the roles: from an encrypted keystore file or the environment, never from the command line, never logged.

use alloy_signer_local::{MnemonicBuilder, PrivateKeySigner, coins_bip39::English};
use anyhow::{Context, bail};
use std::path::Path;

/// The mnemonic that every Ethereum development tool funds. Worthless anywhere else.
pub const DEV_MNEMONIC: &str = "test test test test test test test test test test test junk";

/// Account `index` of the development mnemonic.
pub fn dev_key(index: u32) -> anyhow::Result<PrivateKeySigner> {
    Ok(MnemonicBuilder::<English>::default()
        .phrase(DEV_MNEMONIC)
        .index(index)?
        .build()?)
}

/// The key of `role`: `TRIBUTARY_<ROLE>_KEY` (hex), or the keystore file with the password in
/// `TRIBUTARY_<ROLE>_PASSWORD` or typed at the terminal.
pub fn load(role: &str, keystore: Option<&Path>) -> anyhow::Result<PrivateKeySigner> {
    let upper = role.to_uppercase();
    if let Some(path) = keystore {
        let password = match std::env::var(format!("TRIBUTARY_{upper}_PASSWORD")) {
            Ok(password) => password,
            Err(_) => rpassword::prompt_password(format!("Password of {}: ", path.display()))
                .context("no terminal to ask for the keystore's password")?,
        };
        return PrivateKeySigner::decrypt_keystore(path, password)
            .with_context(|| format!("{} does not open with this password", path.display()));
    }
    match std::env::var(format!("TRIBUTARY_{upper}_KEY")) {
        // The text of a wrong key must not reach a log: the parser's own error may quote it.
        Ok(hex) => match hex.trim().parse() {
            Ok(key) => Ok(key),
            Err(_) => bail!("TRIBUTARY_{upper}_KEY is not a private key: 64 hex digits are wanted"),
        },
        Err(_) => {
            bail!("no key for the {role}: give --keystore FILE, or set TRIBUTARY_{upper}_KEY")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dev_account_zero_is_the_one_everybody_knows() {
        let key = dev_key(0).unwrap();
        assert_eq!(
            key.address().to_string(),
            "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
        );
    }

    #[test]
    fn a_missing_key_says_how_to_give_one() {
        let error = load("nobody", None).unwrap_err().to_string();
        assert_eq!(
            error,
            "no key for the nobody: give --keystore FILE, or set TRIBUTARY_NOBODY_KEY"
        );
    }
}
