// SPDX-License-Identifier: MIT

// The helper for the Rust rows: see helper.h. It does not grow.
use std::io::{BufRead, Error, Result};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Instant;

extern "C" {
    fn getuid() -> u32;
    fn getgid() -> u32;
    fn umask(mask: u32) -> u32;
    fn chdir(path: *const u8) -> i32;
    fn setresgid(real: u32, effective: u32, saved: u32) -> i32;
    fn setresuid(real: u32, effective: u32, saved: u32) -> i32;
    fn setrlimit(resource: i32, limit: *const [u64; 2]) -> i32;
    fn prctl(option: i32, second: u64, third: u64, fourth: u64, fifth: u64) -> i32;
}

const RLIMIT_CORE: i32 = 4;
const PR_SET_NO_NEW_PRIVS: i32 = 38;

// The changes of the setup in c.c.
fn change_process() -> Result<()> {
    unsafe {
        let (uid, gid) = (getuid(), getgid());
        umask(0o022);
        if chdir(b"/\0".as_ptr()) < 0
            || setrlimit(RLIMIT_CORE, &[0, 0]) < 0
            || setresgid(gid, gid, gid) < 0
            || setresuid(uid, uid, uid) < 0
            || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0
        {
            return Err(Error::last_os_error());
        }
    }
    Ok(())
}

fn start(row: &str, path: &str) -> (i32, i32) {
    let mut command = Command::new(path);
    if row == "pre_exec" {
        unsafe { command.pre_exec(change_process) };
    }
    match command.spawn() {
        Ok(mut child) => (
            0,
            child
                .wait()
                .ok()
                .and_then(|status| status.code())
                .unwrap_or(-1),
        ),
        Err(error) => (error.raw_os_error().unwrap_or(0), -1),
    }
}

fn main() {
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        if (words[0] != "command" && words[0] != "pre_exec") || words[2] != "1" {
            println!("absent");
            continue;
        }
        let count: u32 = words[1].parse().unwrap();
        let mut outcome = (0, 0);
        let begun = Instant::now();
        for _ in 0..count {
            outcome = start(words[0], words[3]);
        }
        println!("{} {} {}", begun.elapsed().as_nanos(), outcome.0, outcome.1);
    }
}
