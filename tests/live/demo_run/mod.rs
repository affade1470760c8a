//! A run of the demo, and the processes that belong to it.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A variable by which the processes of a run are found again.
const MARK: &str = "DEMO_TEST_MARK";
/// More than any of these runs takes, on a busy machine too.
const LIMIT: Duration = Duration::from_secs(150);
/// How soon it has to be gone once it is told to end.
const SOON: Duration = Duration::from_secs(5);

/// A process: a number may come again, so the start belongs to it.
type Process = (u32, String);

/// How far a run is.
#[derive(Debug, Clone, Copy)]
pub enum Moment {
    /// The process that does the work is there.
    Begun,
    /// Storage, clouds and host are there.
    Started,
    /// So many steps are done.
    Done(usize),
}

/// A run of the demo.
pub struct Run {
    child: Child,
    mark: String,
    output: PathBuf,
    /// Processes of the run that were seen at some time.
    seen: BTreeSet<Process>,
    /// Folders of its files.
    folders: BTreeSet<String>,
    /// It must have ended by then.
    deadline: Instant,
}

impl Run {
    /// Starts it.
    pub fn start(arguments: &[&str]) -> Self {
        let mark = uuid::Uuid::new_v4().to_string();
        let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("demo-{mark}"));
        let file = File::create(&output).unwrap();
        let child = Command::new(demo())
            .args(arguments)
            .env(MARK, &mark)
            .env("CARGO", env!("CARGO"))
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        let deadline = Instant::now() + LIMIT;
        Self { child, mark, output, seen: BTreeSet::new(), folders: BTreeSet::new(), deadline }
    }

    /// What it said so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.output).unwrap_or_default()
    }

    /// The value of a variable that it says to export.
    pub fn exported(&self, name: &str) -> String {
        let said = self.said();
        let start = format!("export {name}='");
        let line = said.lines().find_map(|line| line.trim().strip_prefix(&start)).unwrap_or_default();
        line.trim_end_matches('\'').to_owned()
    }

    /// Waits until it says something.
    pub fn wait_for(&mut self, text: &str) {
        self.wait_until(text, |this| this.said().contains(text));
    }

    /// Waits for a moment of its life.
    pub fn reaches(&mut self, moment: Moment) {
        self.wait_until(&format!("{moment:?}"), |this| match moment {
            Moment::Begun => {
                this.look();
                !this.folders.is_empty()
            }
            Moment::Started => this.said().contains("both emulated clouds, the Functions host"),
            Moment::Done(steps) => this.said().matches("done: ").count() >= steps,
        });
    }

    fn wait_until(&mut self, what: &str, is_so: impl Fn(&mut Self) -> bool) {
        while !is_so(self) {
            assert!(Instant::now() < self.deadline, "{what:?} never comes: {}", self.said());
            assert!(self.child.try_wait().unwrap().is_none(), "it ended: {}", self.said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Sends a signal to it, and to no other process.
    pub fn signal(&mut self, signal: &str) {
        self.look();
        kill(signal, self.child.id());
        self.deadline = Instant::now() + SOON;
    }

    /// Kills the process in which the demo proper runs.
    pub fn kill_worker(&mut self) {
        self.look();
        let parent = self.child.id();
        let (worker, _) = self.seen.iter().find(|(pid, _)| stat(*pid).is_some_and(|(ppid, _)| ppid == parent)).unwrap();
        kill("KILL", *worker);
        self.deadline = Instant::now() + SOON;
    }

    /// Its exit status; `None` if a signal ended it.
    pub fn exit(&mut self) -> Option<i32> {
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < self.deadline, "it does not end: {}", self.said());
            self.look();
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// None of its processes runs, and its folder is gone.
    pub fn left_nothing(&self) {
        assert_eq!(self.left(), [""; 0], "left running or behind");
    }

    /// The same within a moment: what it started has to see first that it is gone.
    pub fn leaves_nothing(&self) {
        while !self.left().is_empty() && Instant::now() < self.deadline {
            std::thread::sleep(Duration::from_millis(50));
        }
        self.left_nothing();
    }

    /// Its processes that still run, and its folders that are still there.
    fn left(&self) -> Vec<String> {
        assert!(!self.seen.is_empty() && !self.folders.is_empty(), "nothing was seen of it: {}", self.said());
        let here = |(pid, start): &&Process| stat(*pid).is_some_and(|(_, now)| now == *start);
        let seen = self.seen.iter().filter(here).map(|(pid, _)| command(*pid));
        let marked = marked(&self.mark).into_iter().map(command);
        let folders = self.folders.iter().filter(|folder| Path::new(folder).exists()).cloned();
        seen.chain(marked).chain(folders).collect()
    }

    /// Remembers the processes that belong to it now, and the folder that its worker was given.
    fn look(&mut self) {
        let now = descendants(self.child.id());
        for (pid, _) in &now {
            let command = command(*pid);
            let folder = command.split(' ').skip_while(|argument| *argument != "--folder").nth(1);
            self.folders.extend(folder.map(str::to_owned));
        }
        self.seen.extend(now);
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // A test that failed must not leave it either; SIGTERM lets it end what it started.
        if let Ok(None) = self.child.try_wait() {
            kill("TERM", self.child.id());
            let _ = self.child.wait();
        }
        let _ = std::fs::remove_file(&self.output);
    }
}

/// The demo, and the handler that it would build: by the same command as its users'.
fn demo() -> &'static Path {
    static DEMO: OnceLock<PathBuf> = OnceLock::new();
    DEMO.get_or_init(|| {
        let handler = Path::new(env!("CARGO_BIN_EXE_handler"));
        let release = handler.parent().unwrap().ends_with("release");
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--bin", "demo", "--bin", "handler"]).args(release.then_some("--release"));
        let status = build.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap();
        assert!(status.success(), "the demo does not build");
        handler.with_file_name("demo")
    })
}

/// Python with the two clients of Azure, installed below `target/`; `None` if that cannot be.
pub fn python() -> Option<PathBuf> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    let python = home.join("bin/python");
    let run = |program: &Path, arguments: &[&str]| {
        let quiet = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
        quiet.is_ok_and(|status| status.success())
    };
    let ready = ["-c", "import azure.storage.queue, azure.data.tables"];
    if run(&python, &ready) {
        return Some(python);
    }
    let made = run(Path::new("python3"), &["-m", "venv", home.to_str()?]);
    let packages =
        ["-m", "pip", "install", "--retries", "0", "--timeout", "20", "azure-storage-queue", "azure-data-tables"];
    (made && run(&python, &packages) && run(&python, &ready)).then_some(python)
}

fn kill(signal: &str, pid: u32) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {pid}")]).status().unwrap();
    assert!(sent.success(), "SIG{signal} to {pid}");
}

/// All processes that descend from one.
fn descendants(root: u32) -> BTreeSet<Process> {
    let all: Vec<(u32, u32, String)> =
        pids().filter_map(|pid| stat(pid).map(|(parent, start)| (pid, parent, start))).collect();
    let (mut found, mut parents) = (BTreeSet::new(), vec![root]);
    while let Some(parent) = parents.pop() {
        for (pid, _, start) in all.iter().filter(|(_, of, _)| *of == parent) {
            found.insert((*pid, start.clone()));
            parents.push(*pid);
        }
    }
    found
}

fn pids() -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir("/proc").unwrap();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// Parent and start of a process that runs: one that is dead and not waited for does not (proc(5)).
fn stat(pid: u32) -> Option<(u32, String)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let runs = !matches!(*fields.first()?, "Z" | "X");
    runs.then_some((fields.get(1)?.parse().ok()?, (*fields.get(19)?).to_owned()))
}

fn command(pid: u32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default().replace('\0', " ")
}

fn marked(mark: &str) -> Vec<u32> {
    let wanted = format!("{MARK}={mark}");
    let has = |pid: &u32| {
        let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        stat(*pid).is_some() && environ.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
    };
    pids().filter(has).collect()
}
