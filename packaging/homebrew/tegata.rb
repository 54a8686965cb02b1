# Filled by `make packages`: brew install --formula ./tegata.rb
# Linux only, as Tegata is today; on macOS `brew` says so.
class Tegata < Formula
  desc "Local AWS credential broker: one sign-in, short-lived credentials for every tool"
  homepage "https://github.com/tegata/tegata"
  version "@VERSION@"
  license any_of: ["MIT", "Apache-2.0"]

  depends_on arch: :x86_64
  depends_on :linux

  url "https://github.com/tegata/tegata/releases/download/v@VERSION@/tegata-@VERSION@-x86_64-linux.tar.gz"
  sha256 "@SHA256 tegata-@VERSION@-x86_64-linux.tar.gz@"

  def install
    # Side by side: `tegata` starts the daemon that lies next to it.
    libexec.install "bin/tegata", "bin/tegatad"
    bin.install_symlink libexec/"tegata"
    man1.install Dir["share/man/man1/*"]
    bash_completion.install "share/bash-completion/completions/tegata"
    zsh_completion.install "share/zsh/site-functions/_tegata"
    fish_completion.install "share/fish/vendor_completions.d/tegata.fish"
    doc.install Dir["share/doc/tegata/*"]
  end

  service do
    run opt_libexec/"tegatad"
    keep_alive crashed: true
    process_type :background
  end

  def caveats
    <<~EOS
      Before uninstalling: `tegata setup --undo` restores the AWS config that `tegata setup` changed.
    EOS
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/tegata --version")
    # Nobody listens and none may be started in the sandbox: 16 is "daemon not reachable".
    shell_output("#{bin}/tegata daemon status", 16)
  end
end
