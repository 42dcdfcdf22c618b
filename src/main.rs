//! Owns nothing: calls the command line and returns its exit code.

fn main() -> std::process::ExitCode {
    mailrun::cli::main()
}
