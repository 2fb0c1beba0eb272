//! The real program as processes of their own, which may die.

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use std::{
    ffi::OsStr,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A running `tributary` of any role, killed when dropped.
pub struct Role {
    child: Child,
    log: PathBuf,
}

/// A running role that answers JSON-RPC.
pub struct Tributary {
    role: Role,
    http: reqwest::Client,
    url: String,
    /// From its start to its first answer.
    pub started_in: Duration,
}

/// A port nobody listens on now.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// `TRIBUTARY_BIN`, or what `make build` leaves beside this test's own program.
fn program() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("TRIBUTARY_BIN") {
        return Ok(path.into());
    }
    let test = std::env::current_exe()?;
    let built = test
        .ancestors()
        .nth(2)
        .context("a test program lies in target/<profile>/deps")?
        .join("tributary");
    ensure!(
        built.exists(),
        "{} is not built: run `make build` (or `cargo build --workspace --bin tributary`), or name the program by \
         TRIBUTARY_BIN",
        built.display()
    );
    Ok(built)
}

/// Runs one command of the program to its end and returns what it printed. `env` holds the keys.
pub async fn command(args: &[&str], env: &[(&str, String)]) -> anyhow::Result<String> {
    let mut command = Command::new(program()?);
    command
        .args(args)
        .envs(env.iter().map(|(key, value)| (*key, value)));
    let run = tokio::task::spawn_blocking(move || command.stdin(Stdio::null()).output());
    let output = tokio::time::timeout(Duration::from_secs(300), run).await???;
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr),
    );
    ensure!(output.status.success(), "tributary {args:?}: {err}\n{out}");
    Ok(out)
}

impl Role {
    /// Starts `tributary` with `args`; `keys` go through the environment, and what it says into `log`.
    pub fn start<A: AsRef<OsStr>>(
        log: PathBuf,
        args: impl IntoIterator<Item = A>,
        keys: &[(&str, String)],
    ) -> anyhow::Result<Self> {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)?;
        let program = program()?;
        let child = Command::new(&program)
            .args(args)
            .envs(keys.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        Ok(Self { child, log })
    }

    /// An error if it has ended.
    pub fn check(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!(
                "tributary ended with {status}; its last words:\n{}",
                self.last_words()
            );
        }
        Ok(())
    }

    /// `kill -9`.
    pub fn act_kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// The end of its log.
    pub fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let _ = self.act_kill();
    }
}

impl Tributary {
    /// Starts `tributary dev` in `datadir` and waits for the first answer.
    pub async fn start(datadir: &Path, rpc_port: u16, l1_port: u16) -> anyhow::Result<Self> {
        let args = [
            "dev".into(),
            "--datadir".into(),
            datadir.display().to_string(),
            "--rpc-port".into(),
            rpc_port.to_string(),
            "--l1-port".into(),
            l1_port.to_string(),
            "--batch-interval-ms".into(),
            "1000".into(),
            "--l1-block-time-ms".into(),
            "500".into(),
        ];
        Self::serve(datadir.with_extension("log"), args, &[], rpc_port).await
    }

    /// Starts any role that serves JSON-RPC on `rpc_port`, and waits for the first answer.
    pub async fn serve<A: AsRef<OsStr>>(
        log: PathBuf,
        args: impl IntoIterator<Item = A>,
        keys: &[(&str, String)],
        rpc_port: u16,
    ) -> anyhow::Result<Self> {
        l1::install_tls();
        let before = Instant::now();
        let role = Role::start(log, args, keys)?;
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            .build()?;
        let mut this = Self {
            role,
            http,
            url: format!("http://127.0.0.1:{rpc_port}"),
            started_in: Duration::ZERO,
        };
        while this.ask("eth_blockNumber", json!([])).await.is_err() {
            this.role.check()?;
            ensure!(
                before.elapsed() < Duration::from_secs(60),
                "no answer for a minute:\n{}",
                this.last_words()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        this.started_in = before.elapsed();
        Ok(this)
    }

    /// Its JSON-RPC.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// One question; an error of the node and a dead node are both errors here.
    pub async fn ask(&self, method: &str, params: Value) -> anyhow::Result<Value> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut answer: Value = self
            .http
            .post(&self.url)
            .json(&body)
            .send()
            .await?
            .json()
            .await?;
        if let Some(error) = answer.get("error") {
            bail!("{method}: {error}");
        }
        Ok(answer["result"].take())
    }

    /// `kill -9`.
    pub fn act_kill(&mut self) -> anyhow::Result<()> {
        self.role.act_kill()
    }

    /// The end of its log.
    pub fn last_words(&self) -> String {
        self.role.last_words()
    }
}
