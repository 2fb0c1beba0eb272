//! The two measured programs as processes: starting them, what they cost, ending them.
//!
//! Costs are read from `/proc`, so both are measured by the same ruler and without their help.

use crate::{load::CHAIN_ID, rpc::Client};
use alloy_primitives::B256;
use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use serde_json::json;
use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Mutex,
    time::{Duration, Instant},
};

/// Linux counts CPU time for user space in hundredths of a second on every architecture.
const MICROS_PER_TICK: u64 = 10_000;
/// A node that shows no sign of life for so long has failed.
const START_MAX: Duration = Duration::from_secs(90);
/// Lines of a node's log in an error.
const LOG_LINES: usize = 30;
const STOP_MAX: Duration = Duration::from_secs(20);

/// What runs now, for [`end_all`].
static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Ends what is still running; for the way out by a signal, where nothing is dropped.
pub fn end_all() {
    for pid in RUNNING.lock().unwrap_or_else(|e| e.into_inner()).iter() {
        let _ = kill_process(*pid, Signal::KILL);
    }
}

/// A measured program.
pub struct Node {
    child: Child,
    /// Where it speaks JSON-RPC and WebSocket.
    pub address: SocketAddr,
    /// Its funded accounts; empty where balances can be set.
    pub rich: Vec<B256>,
    log: PathBuf,
    began: Instant,
}

/// The part of `dev.json` that matters here.
#[derive(Deserialize)]
struct DevFile {
    l2: DevL2,
    accounts: Vec<DevAccount>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DevL2 {
    chain_id: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DevAccount {
    private_key: B256,
}

/// How our node is started.
#[derive(Debug, Clone)]
pub struct Ours {
    /// The program.
    pub program: PathBuf,
    /// Further arguments of `tributary dev`.
    pub args: Vec<String>,
}

impl Node {
    /// `tributary dev` in `dir`, ready. A folder used before is continued.
    pub async fn ours(how: &Ours, dir: &Path) -> anyhow::Result<Self> {
        let (rpc, l1) = (free_port()?, free_port()?);
        let datadir = dir.join("ours");
        let ready = datadir.join("dev.json");
        let _ = fs::remove_file(&ready);
        let mut command = Command::new(&how.program);
        command.arg("dev").arg("--datadir").arg(&datadir);
        command.args(["--rpc-port", &rpc.to_string()]);
        command.args(["--l1-port", &l1.to_string()]);
        command.args(&how.args);
        let mut node = Self::spawn(command, rpc, dir.join("ours.log"))?;
        let text = loop {
            node.starting()?;
            match fs::read_to_string(&ready) {
                Ok(text) => break text,
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        };
        let file: DevFile = serde_json::from_str(&text).context("dev.json")?;
        anyhow::ensure!(
            file.l2.chain_id == CHAIN_ID,
            "the node's chain id is {}",
            file.l2.chain_id
        );
        node.rich = file.accounts.into_iter().map(|a| a.private_key).collect();
        Ok(node)
    }

    /// anvil as `README.md` describes it, ready.
    pub async fn peer(program: &Path, dir: &Path) -> anyhow::Result<Self> {
        let port = free_port()?;
        let mut command = Command::new(program);
        command.args(["--block-time", "1", "--gas-limit", "30000000000"]);
        command.args(["--order", "fifo", "-q", "--port", &port.to_string()]);
        command.args(["--chain-id", &CHAIN_ID.to_string()]);
        let mut node = Self::spawn(command, port, dir.join("peer.log"))?;
        loop {
            node.starting()?;
            if let Ok(mut client) = Client::open(node.address).await
                && client.number("eth_chainId", json!([])).await.is_ok()
            {
                return Ok(node);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn spawn(mut command: Command, port: u16, log: PathBuf) -> anyhow::Result<Self> {
        let out = fs::File::create(&log).with_context(|| log.display().to_string())?;
        command
            .stdin(Stdio::null())
            .stderr(out.try_clone()?)
            .stdout(out);
        let began = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("starting {}", command.get_program().display()))?;
        let mut running = RUNNING.lock().unwrap_or_else(|e| e.into_inner());
        running.push(Pid::from_child(&child));
        Ok(Self {
            child,
            address: (Ipv4Addr::LOCALHOST, port).into(),
            rich: vec![],
            log,
            began,
        })
    }

    /// An error if it ended, or does not get ready.
    fn starting(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("the node ended ({status}):\n{}", self.log()),
            None if self.began.elapsed() > START_MAX => {
                bail!("the node did not get ready:\n{}", self.log())
            }
            None => Ok(()),
        }
    }

    /// The end of what it wrote.
    pub fn log(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    /// Ends a measurement: the node stops cleanly, or the error gets the end of the node's log.
    pub async fn conclude<T>(self, result: anyhow::Result<T>) -> anyhow::Result<T> {
        match result {
            Ok(found) => {
                self.stop().await?;
                Ok(found)
            }
            Err(error) => {
                let log = self.log();
                Err(error.context(format!("the node's last words:\n{log}\n")))
            }
        }
    }

    /// Since it was started.
    pub fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// CPU time of all its threads so far, µs.
    pub fn cpu_us(&self) -> u64 {
        cpu_us(Path::new(&format!("/proc/{}/stat", self.child.id()))).unwrap_or(0)
    }

    /// CPU time of its living threads so far, µs, by name; numbers at the end of names are dropped.
    pub fn threads_us(&self) -> BTreeMap<String, u64> {
        let mut threads = BTreeMap::new();
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id()));
        for task in tasks.into_iter().flatten().flatten() {
            let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
            let name = name.trim().trim_end_matches(|c: char| c.is_ascii_digit());
            let name = name.trim_end_matches(['-', '_', ' ']).to_owned();
            if let Some(us) = cpu_us(&task.path().join("stat")) {
                *threads.entry(name).or_insert(0) += us;
            }
        }
        threads
    }

    /// Memory in RAM, MiB: the most so far (`VmHWM`) and now (`VmRSS`).
    pub fn rss_mib(&self) -> (f64, f64) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
            number.unwrap_or(0.0)
        };
        (kib("VmHWM:") / 1024.0, kib("VmRSS:") / 1024.0)
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end and waits; returns how long that took.
    pub async fn stop(mut self) -> anyhow::Result<Duration> {
        let asked = Instant::now();
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        while self.child.try_wait()?.is_none() {
            if asked.elapsed() > STOP_MAX {
                self.child.kill()?;
                bail!("the node did not end within {STOP_MAX:?} of SIGTERM");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(asked.elapsed())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let pid = Pid::from_child(&self.child);
        let _ = self.child.kill();
        let _ = self.child.wait();
        let mut running = RUNNING.lock().unwrap_or_else(|e| e.into_inner());
        running.retain(|other| *other != pid);
    }
}

/// CPU time of this process so far, µs.
pub fn own_cpu_us() -> u64 {
    cpu_us(Path::new("/proc/self/stat")).unwrap_or(0)
}

/// User and system time of a `stat` file, µs. The command's name may hold anything, so reading begins behind it.
fn cpu_us(stat: &Path) -> Option<u64> {
    let text = fs::read_to_string(stat).ok()?;
    let mut fields = text.get(text.rfind(')')? + 1..)?.split_whitespace();
    let user: u64 = fields.nth(11)?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system) * MICROS_PER_TICK)
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}
