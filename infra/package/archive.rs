//! The zip: sorted entries, one time for all, Unix modes, nothing else; so the same app is the same bytes.

use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::Finding;

/// What was packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// The zip.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: usize,
    /// SHA-256 of it, in hexadecimal.
    pub sha256: String,
}

/// Packs the staged app in `app` as `out`, and writes `<out>.sha256` beside it, as `sha256sum` does.
///
/// `executable` gets mode 0755, everything else 0644, whatever the file system says.
///
/// # Errors
/// The file system refused.
pub fn pack(app: &Path, executable: &Path, out: &Path) -> Result<Packed, Finding> {
    let mut files = Vec::new();
    visit(app, &mut files)?;
    files.sort();
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for path in &files {
        let name = entry_name(app, path);
        let mode = if path == executable { 0o755 } else { 0o644 };
        // The time is the format's first: no clock of a build machine, and no time zone.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(9))
            .last_modified_time(DateTime::default())
            .unix_permissions(mode);
        let bytes = std::fs::read(path).map_err(Finding::io(path))?;
        zip.start_file(name, options).map_err(|error| unzippable(path, &error))?;
        zip.write_all(&bytes).map_err(Finding::io(path))?;
    }
    let bytes = zip.finish().map_err(|error| unzippable(out, &error))?.into_inner();
    let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    save(out, &bytes)?;
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    save(&beside(out, "sha256"), format!("{sha256}  {name}\n").as_bytes())?;
    Ok(Packed { path: out.to_owned(), size: bytes.len(), sha256 })
}

fn visit(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Finding> {
    for entry in std::fs::read_dir(folder).map_err(Finding::io(folder))? {
        let path = entry.map_err(Finding::io(folder))?.path();
        if path.is_dir() { visit(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

/// The path inside the app, with the slashes of the format.
fn entry_name(app: &Path, path: &Path) -> String {
    let parts = path.strip_prefix(app).unwrap_or(path).components();
    parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn unzippable(path: &Path, error: &zip::result::ZipError) -> Finding {
    Finding::new(path.display(), format!("cannot be packed: {error}"), "remove it from the app, or make it smaller")
}

/// Whole or not at all: a half-written package must not be deployed.
fn save(path: &Path, bytes: &[u8]) -> Result<(), Finding> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Finding::io(folder))?;
    }
    let fresh = beside(path, "new");
    std::fs::write(&fresh, bytes).map_err(Finding::io(&fresh))?;
    std::fs::rename(&fresh, path).map_err(Finding::io(path))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

/// Unpacks a package as a deployment does, modes included, into `folder`.
///
/// # Errors
/// It is no zip, or the file system refused.
pub fn unpack(package: &Path, folder: &Path) -> Result<(), Finding> {
    let file = std::fs::File::open(package).map_err(Finding::io(package))?;
    let unpacked = zip::ZipArchive::new(file).and_then(|mut zip| zip.extract(folder));
    unpacked.map_err(|error| {
        Finding::new(package.display(), format!("cannot be unpacked: {error}"), "make it anew: `cargo package-app`")
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::scratch::Scratch;

    /// An app whose handler nobody made executable.
    fn app(name: &str) -> Scratch {
        let folder = Scratch::new(name);
        folder.with("app/sweep/function.json", "{}").with("app/host.json", "{}").with("app/handler", "#!/bin/sh\n");
        folder
    }

    fn pack_app(folder: &Scratch, out: &str) -> Packed {
        pack(&folder.0.join("app"), &folder.0.join("app/handler"), &folder.0.join(out)).unwrap()
    }

    #[test]
    fn the_same_app_is_the_same_bytes_whatever_its_times_and_modes() {
        let folder = app("same");
        let first = pack_app(&folder, "a.zip");
        let host = std::fs::File::options().write(true).open(folder.0.join("app/host.json")).unwrap();
        host.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_234_567_890)).unwrap();
        host.set_permissions(std::fs::Permissions::from_mode(0o600)).unwrap();
        let second = pack_app(&folder, "b.zip");
        assert_eq!(std::fs::read(&first.path).unwrap(), std::fs::read(&second.path).unwrap());
        assert_eq!(first.sha256, second.sha256);
        folder.with("app/host.json", "{ }");
        assert_ne!(first.sha256, pack_app(&folder, "c.zip").sha256, "other content, other bytes");
    }

    #[test]
    fn entries_are_sorted_and_only_the_handler_is_executable() {
        let folder = app("entries");
        let packed = pack_app(&folder, "app.zip");
        let mut zip = zip::ZipArchive::new(std::fs::File::open(&packed.path).unwrap()).unwrap();
        let entries: Vec<_> = (0..zip.len())
            .map(|index| {
                let file = zip.by_index(index).unwrap();
                {
                    let plain = file.extra_data().is_none_or(|extra| extra.is_empty());
                    (file.name().unwrap().into_owned(), file.unix_mode().unwrap(), plain)
                }
            })
            .collect();
        let entry = |name: &str, mode| (name.to_owned(), mode, true);
        let wanted =
            [entry("handler", 0o100_755), entry("host.json", 0o100_644), entry("sweep/function.json", 0o100_644)];
        assert_eq!(entries, wanted);
    }

    #[test]
    fn the_checksum_file_is_what_sha256sum_checks() {
        let folder = app("checksum");
        let packed = pack_app(&folder, "app.zip");
        let line = std::fs::read_to_string(folder.0.join("app.zip.sha256")).unwrap();
        assert_eq!(line, format!("{}  app.zip\n", packed.sha256));
        assert_eq!(std::fs::metadata(&packed.path).unwrap().len(), packed.size as u64);
        assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 3, "nothing is left beside them");
    }

    #[test]
    fn unpacked_it_is_the_app_with_an_executable_handler() {
        let folder = app("unpack");
        let packed = pack_app(&folder, "app.zip");
        unpack(&packed.path, &folder.0.join("site")).unwrap();
        let mode = |name: &str| std::fs::metadata(folder.0.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("site/handler"), mode("site/sweep/function.json")), (0o755, 0o644));
        folder.with("half.zip", &std::fs::read(&packed.path).unwrap()[..100]);
        assert!(unpack(&folder.0.join("half.zip"), &folder.0.join("other")).is_err());
    }
}
