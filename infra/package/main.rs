//! `cargo package-app`: checks, builds and packs the function app.
//!
//! ```text
//! cargo package-app                   target/package/aiven-azure-peering-<version>.zip, and .sha256 beside it
//! cargo package-app --twice           builds it again from a copy elsewhere, and compares
//! cargo package-app --run             runs it on the emulated Functions host until a peering is ACTIVE
//! cargo package-app --handler PATH    packs a handler that was built elsewhere
//! ```

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use package::archive::{self, Packed};
use package::{Finding, again, checks, elf, handler, tools};

/// What was asked for.
#[derive(Default)]
struct Arguments {
    twice: bool,
    run: bool,
    handler: Option<PathBuf>,
}

const USAGE: &str = "usage: cargo package-app [--twice] [--run] [--handler PATH]";

fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let Some(root) = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2) else { return ExitCode::FAILURE };
    match package(root, &arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(findings) => {
            for finding in findings {
                eprintln!("{finding}");
            }
            ExitCode::FAILURE
        }
    }
}

fn arguments() -> Option<Arguments> {
    let mut arguments = Arguments::default();
    let mut given = std::env::args().skip(1);
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--twice" => arguments.twice = true,
            "--run" => arguments.run = true,
            "--handler" => arguments.handler = Some(given.next()?.into()),
            _ => return None,
        }
    }
    // Both builds would be the same file.
    (!(arguments.twice && arguments.handler.is_some())).then_some(arguments)
}

fn package(root: &Path, arguments: &Arguments) -> Result<(), Vec<Finding>> {
    let compared = checks::all(root)?;
    let checks::Compared { functions, queues, settings } = compared;
    println!("checked   {functions} functions, {queues} queues, {settings} settings: code and templates agree");
    let packed = build(root, arguments).map_err(|finding| vec![finding])?;
    println!("package   {}", packed.path.display());
    println!("size      {}", packed.size);
    println!("sha256    {}", packed.sha256);
    if arguments.twice {
        twice(root, &packed).map_err(|finding| vec![finding])?;
    }
    if arguments.run { run(root, &packed).map_err(|finding| vec![finding]) } else { Ok(()) }
}

fn build(root: &Path, arguments: &Arguments) -> Result<Packed, Finding> {
    let target = root.join("target");
    let handler = match &arguments.handler {
        Some(path) => path.clone(),
        None => built(root, &target, &target)?,
    };
    pack(root, &handler, &target.join("package"))
}

/// Builds the handler, and says what it needs.
fn built(root: &Path, target: &Path, home: &Path) -> Result<PathBuf, Finding> {
    let tools = tools::ensure(home)?;
    eprintln!("building the handler for {} and glibc {}: minutes, the first time", handler::TARGET, elf::CEILING);
    let began = Instant::now();
    let handler = handler::build(root, target, &tools)?;
    println!("handler   built in {:.0} s", began.elapsed().as_secs_f64());
    Ok(handler)
}

/// Stages and packs it in `out`.
fn pack(root: &Path, handler: &Path, out: &Path) -> Result<Packed, Finding> {
    let needs = elf::check(handler, elf::CEILING)?;
    let glibc = needs.glibc.map_or("no glibc".to_owned(), |version| format!("glibc {version} or newer"));
    println!("needs     {glibc}; {}", needs.libraries.join(", "));
    let staged = stager::stage(root, handler, &out.join("app"))?;
    let name = format!("aiven-azure-peering-{}.zip", env!("CARGO_PKG_VERSION"));
    archive::pack(&staged.root, &staged.handler, &out.join(name))
}

/// The same sources in another folder must become the same bytes.
fn twice(root: &Path, first: &Packed) -> Result<(), Finding> {
    let target = root.join("target");
    let copy = again::copy(root, &target.join("package/again"))?;
    let handler = built(&copy.sources, &copy.target, &target)?;
    let second = pack(&copy.sources, &handler, &copy.out)?;
    println!("again     {}, built in {}", second.sha256, copy.sources.display());
    if second.sha256 == first.sha256 {
        return Ok(());
    }
    let what = format!("is {} where {} was built before", second.sha256, first.sha256);
    let (first, second) = (first.path.display(), second.path.display());
    Err(Finding::new(&second, what, format!("find what differs: diffoscope {first} {second}")))
}

/// As `tests/live/package.rs` does with any package.
fn run(root: &Path, packed: &Packed) -> Result<(), Finding> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root)
        .args(["test", "--quiet", "--locked", "--package", "aiven-azure-peering", "--test", "live", "package::"])
        .env("PACKAGE", &packed.path)
        .status();
    let what = match status {
        Ok(status) if status.success() => {
            println!("run       on the emulated Functions host: one peering ACTIVE");
            return Ok(());
        }
        Ok(status) => format!("the package does not run ({status}), see above"),
        Err(error) => error.to_string(),
    };
    let place = packed.path.display();
    Err(Finding::new(&place, what, format!("try it alone: PACKAGE={place} cargo test --test live package::")))
}
