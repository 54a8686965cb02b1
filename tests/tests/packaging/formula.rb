# Runs the Homebrew formula as `brew install` and `brew test` do, with stand-ins for the few of Homebrew's words that it uses:
#   ruby formula.rb FORMULA TREE PREFIX    in TREE, the archive without its outermost folder
require "fileutils"
require "pathname"

# A folder to install into.
class Place < Pathname
  def install(*files)
    mkpath
    files.flatten.each { |file| FileUtils.mv(file, self) }
  end

  def install_symlink(file)
    mkpath
    make_link = join(file.basename)
    make_link.make_symlink(file)
  end
end

class Formula
  FACTS = {}
  class << self
    %w[desc homepage version license url sha256 depends_on].each do |word|
      define_method(word) { |value = nil| value ? FACTS.store(word, value) : FACTS.fetch(word) }
    end

    def service(&block) = FACTS.store("service", block)
    def test(&block) = define_method(:run_test, &block)
  end

  FOLDERS = { bin: "bin", libexec: "libexec", man1: "share/man/man1", doc: "share/doc/tegata",
              bash_completion: "etc/bash_completion.d", zsh_completion: "share/zsh/site-functions",
              fish_completion: "share/fish/vendor_completions.d" }.freeze
  FOLDERS.each { |name, folder| define_method(name) { Place.new(File.join(PREFIX, folder)) } }
  alias opt_libexec libexec
  def version = FACTS.fetch("version")

  def shell_output(command, code = 0)
    output = `#{command}`
    raise "#{command} ended with #{$?.exitstatus}: #{output}" unless $?.exitstatus == code

    output
  end

  def assert_match(part, text) = text.include?(part) || raise("no #{part} in #{text}")
end

# What a service says of itself.
class Service
  def method_missing(word, *values) = puts("#{word} #{values.join(" ")}")
  def respond_to_missing?(*) = true
  def opt_libexec = Place.new(File.join(PREFIX, "libexec"))
end

formula, tree, PREFIX = ARGV.map { |path| File.expand_path(path) }
load formula
Dir.chdir(tree)
tegata = Tegata.new
tegata.install
tegata.run_test
puts Formula::FACTS.values_at("version", "url", "sha256"), tegata.caveats
Service.new.instance_eval(&Formula::FACTS.fetch("service"))
