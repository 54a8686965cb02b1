# What packaging/nix/flake.nix describes, with stand-ins for the few words of nixpkgs that it uses: nothing is fetched or built.
#   nix-instantiate --eval --strict --json --argstr file /path/to/flake.nix flake.nix
{ file }:
let
  pkgs = {
    lib.importTOML = file: builtins.fromTOML (builtins.readFile file);
    lib.licenses = { mit = "MIT"; asl20 = "Apache-2.0"; };
    rustPlatform.buildRustPackage = description: description;
    installShellFiles = "installShellFiles";
  };
  nixpkgs = {
    lib.genAttrs = names: make: builtins.listToAttrs (map (name: { inherit name; value = make name; }) names);
    legacyPackages = { x86_64-linux = pkgs; aarch64-linux = pkgs; };
  };
  packages = ((import file).outputs { self = { }; inherit nixpkgs; }).packages;
  package = packages.x86_64-linux.default;
in
{
  inherit (package) pname version cargoBuildFlags postInstall;
  inherit (package.meta) license platforms;
  out = placeholder "out";
  daemon = package.env.TEGATA_LIBEXEC;
  lock = toString package.cargoLock.lockFile;
  source = toString package.src;
  systems = builtins.attrNames packages;
}
