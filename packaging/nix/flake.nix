{
  # From source: nix build 'git+https://github.com/tegata/tegata?dir=packaging/nix'
  # Without flake.lock, which whoever first evaluates it writes. The command line is dynamic here, which makes its start slower than
  # in the other packages: nixpkgs builds static programs with another C library.
  description = "Local AWS credential broker: one sign-in, short-lived credentials for every tool";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixpkgs-unstable";

  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" ];
      forEach = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
    in
    {
      packages = forEach (pkgs: rec {
        default = tegata;
        tegata = pkgs.rustPlatform.buildRustPackage {
          pname = "tegata";
          version = (pkgs.lib.importTOML ../../Cargo.toml).workspace.package.version;
          src = ../..;
          cargoLock.lockFile = ../../Cargo.lock;
          cargoBuildFlags = [ "-p" "tegata-cli" "-p" "tegata-daemon" ];
          # The stories start daemons and browsers; they belong to `make test`.
          doCheck = false;
          nativeBuildInputs = [ pkgs.installShellFiles ];
          env.TEGATA_LIBEXEC = "${placeholder "out"}/lib/tegata/tegatad";
          postInstall = ''
            install -D $out/bin/tegatad $out/lib/tegata/tegatad
            rm $out/bin/tegatad
            installManPage packaging/man/*.1
            installShellCompletion --name tegata --bash packaging/completions/tegata.bash
            installShellCompletion --zsh packaging/completions/_tegata
            installShellCompletion packaging/completions/tegata.fish
            install -D -m 644 -t $out/share/systemd/user packaging/systemd/tegatad.service packaging/systemd/tegatad.socket
            substituteInPlace $out/share/systemd/user/tegatad.service --replace-fail /usr/lib/tegata $out/lib/tegata
          '';
          meta = {
            description = "Local AWS credential broker";
            homepage = "https://github.com/tegata/tegata";
            license = with pkgs.lib.licenses; [ mit asl20 ];
            mainProgram = "tegata";
            platforms = systems;
          };
        };
      });
    };
}
