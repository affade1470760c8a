//! Measures what an executable asks of the machine it runs on: the newest glibc symbol, and the libraries.

use std::fmt;
use std::path::Path;

use object::read::elf::{ElfFile64, FileHeader as _};
use object::{Endianness, elf};

use crate::Finding;

/// The newest glibc that the package may need. Functions images have been Debian 11 (2.31) and 12 (2.36); what Flex Consumption
/// runs is not documented, so the ceiling is RHEL 8's, the oldest that is still in use.
pub const CEILING: Glibc = Glibc(2, 28);

/// The libraries that are surely there: glibc's own, and gcc's unwinder, which the host's own .NET needs.
const LIBRARIES: [&str; 7] =
    ["libgcc_s.so.1", "libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "ld-linux-x86-64.so.2"];

/// A version of glibc.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Glibc(pub u32, pub u32);

impl fmt::Display for Glibc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// What an executable needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    /// The newest glibc whose symbols it asks for; none: it is static.
    pub glibc: Option<Glibc>,
    /// Shared libraries.
    pub libraries: Vec<String>,
}

/// Reads what the executable at `path` needs, and refuses what the Functions host could not run.
///
/// # Errors
/// It is no executable for Linux on x86-64, or needs a glibc newer than `ceiling`, or a library that may not be there.
pub fn check(path: &Path, ceiling: Glibc) -> Result<Needs, Finding> {
    let bytes = std::fs::read(path).map_err(Finding::io(path))?;
    let needs = needs(&bytes).map_err(|what| {
        Finding::new(path.display(), what, "build it for Linux on x86-64: `cargo package-app` without --handler")
    })?;
    if let Some(needed) = needs.glibc.filter(|needed| *needed > ceiling) {
        return Err(Finding::new(
            path.display(),
            format!("needs glibc {needed}, and the host may have no newer one than {ceiling}"),
            format!(
                "link it against {ceiling}: `cargo package-app` without --handler, or cargo zigbuild --target x86_64-unknown-linux-gnu.{ceiling}"
            ),
        ));
    }
    if let Some(library) = needs.libraries.iter().find(|library| !LIBRARIES.contains(&library.as_str())) {
        return Err(Finding::new(
            path.display(),
            format!("needs {library}, which the host may not have"),
            "find the crate that links it (cargo tree), and use one in Rust",
        ));
    }
    Ok(needs)
}

fn needs(bytes: &[u8]) -> Result<Needs, String> {
    let unreadable = |error: object::Error| format!("is no 64-bit ELF file: {error}");
    let file = ElfFile64::<Endianness>::parse(bytes).map_err(unreadable)?;
    let endian = file.endian();
    if file.elf_header().e_machine(endian) != elf::EM_X86_64 {
        return Err("is not for x86-64".to_owned());
    }
    let sections = file.elf_section_table();
    let mut libraries = Vec::new();
    if let Some((entries, link)) = sections.dynamic(endian, bytes).map_err(unreadable)? {
        let strings = sections.strings(endian, bytes, link).map_err(unreadable)?;
        for entry in entries.iter().filter(|entry| entry.d_tag.get(endian) == elf::DT_NEEDED) {
            let offset = u32::try_from(entry.d_val.get(endian)).map_err(|_| "has a library name out of range")?;
            libraries.push(text(strings.get(offset).map_err(|()| "has a library without a name")?));
        }
    }
    let mut glibc = None;
    if let Some((mut files, link)) = sections.gnu_verneed(endian, bytes).map_err(unreadable)? {
        let strings = sections.strings(endian, bytes, link).map_err(unreadable)?;
        while let Some((_, mut versions)) = files.next().map_err(unreadable)? {
            while let Some(version) = versions.next().map_err(unreadable)? {
                let name = text(version.name(endian, strings).map_err(unreadable)?);
                glibc = glibc.max(version_of(&name)?);
            }
        }
    }
    Ok(Needs { glibc, libraries })
}

/// `GLIBC_2.28`. A name without a number (`GLIBC_ABI_DT_RELR`) asks for something newer than numbers tell.
fn version_of(name: &str) -> Result<Option<Glibc>, String> {
    let Some(version) = name.strip_prefix("GLIBC_") else { return Ok(None) };
    let mut numbers = version.split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Ok(Some(Glibc(major, minor))),
        _ => Err(format!("needs {name}, which no glibc up to {CEILING} has")),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(all(test, target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn what_a_program_needs_is_measured_as_readelf_does() {
        let program = std::env::current_exe().unwrap();
        let Ok(said) = std::process::Command::new("readelf").args(["-V", "-W"]).arg(&program).output() else {
            eprintln!("SKIPPED: readelf is not to be had here");
            return;
        };
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let words = said.split_whitespace().filter(|word| word.starts_with("GLIBC_2"));
        let newest = words.filter_map(|word| version_of(word).unwrap()).max();
        assert_eq!(check(&program, Glibc(9, 0)).unwrap().glibc, newest);
        assert!(newest.is_some());
    }

    #[test]
    fn a_program_that_needs_a_newer_glibc_than_the_host_has_is_refused_with_the_fix() {
        let program = std::env::current_exe().unwrap();
        let refusal = check(&program, Glibc(2, 0)).unwrap_err().to_string();
        assert!(
            refusal.contains("the host may have no newer one than 2.0") && refusal.contains("zigbuild"),
            "{refusal}"
        );
    }

    #[test]
    fn a_symbol_version_without_a_number_is_newer_than_any() {
        assert!(version_of("GLIBC_ABI_DT_RELR").unwrap_err().contains("GLIBC_ABI_DT_RELR"));
        assert_eq!(version_of("GLIBC_2.2.5").unwrap(), Some(Glibc(2, 2)));
        assert_eq!(version_of("GCC_3.0").unwrap(), None);
        assert!(Glibc(2, 4) < Glibc(2, 28));
    }

    #[test]
    fn a_foreign_library_and_a_file_that_is_no_program_are_refused() {
        let folder = Scratch::new("elf");
        folder.with("script", "#!/bin/sh\n");
        assert!(check(&folder.0.join("script"), CEILING).unwrap_err().what.contains("no 64-bit ELF file"));
        let mut program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let at = program.windows(10).position(|bytes| bytes == b"libc.so.6\0").unwrap();
        program[at..at + 9].copy_from_slice(b"libX.so.6");
        folder.with("foreign", &program);
        let refusal = check(&folder.0.join("foreign"), Glibc(9, 0)).unwrap_err();
        assert!(refusal.what.contains("needs libX.so.6"), "{refusal}");
    }
}
