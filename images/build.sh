# shellcheck shell=bash disable=SC2154
# (what the launcher assigns)
# Builds the images of this folder, each from the packages of its recipe. The launcher sources it, and brings say, die,
# step, need, may_install, engine, $root and $state along.
#
# A recipe is a folder:
#   packages   a Debian package a line
#   config     a line of Dockerfile instructions a line (CMD, ENV), which the image gets
#   customize  optional: a program that is called with the root of the new system before it is packed

# Raised when this file makes other images of the same recipes.
builder=1

recipes() { find "$root/images" -mindepth 2 -maxdepth 2 -name packages -printf '%h\n' | sed 's#.*/##' | sort; }

is_recipe() { [[ $1 =~ ^[a-z]+$ ]] && [ -f "$root/images/$1/packages" ]; }

# recipe_digest NAME: changes with the recipe, so that an image of an older one is built again
recipe_digest() { (cd "$root/images/$1" && { echo "$builder"; cat packages config; cat customize 2>/dev/null; }) | sha256sum | cut -c1-16; }

# image_of NAME
image_of() { printf 'vivarium/%s' "$1"; }

# image_digest IMAGE: of the recipe that the engine's image was made from; fails where there is no such image
image_digest() {
  local found
  if command -v curl >/dev/null; then
    found=$(engine "/images/$1/json" --max-time 20 2>/dev/null) || return
    sed -n 's/.*"dev\.vivarium\.recipe": *"\([^"]*\)".*/\1/p' <<<"$found" | head -n 1
  else
    docker image inspect -f '{{index .Config.Labels "dev.vivarium.recipe"}}' "$1" 2>/dev/null
  fi
}

# is_current NAME
is_current() { [ "$(image_digest "$(image_of "$1")")" = "$(recipe_digest "$1")" ]; }

# apt_sources ORIGIN KEYRING: the distribution's own repositories by the mirrors that this machine reaches them through,
# without those of third parties
apt_sources() {
  local key=
  if [ -r "$2" ]; then key="[signed-by=$2] "; fi
  apt-get indextargets --format "deb $key\$(REPO_URI) \$(RELEASE) \$(COMPONENT)" "Created-By: Packages" "Origin: $1" 2>/dev/null |
    sort -u
}

# The proxy of this machine's apt reaches the new system through the environment, and so does not stay in the image.
use_apt_proxy() {
  local proxy proxy_tls
  eval "$(apt-config shell proxy Acquire::http::Proxy proxy_tls Acquire::https::Proxy 2>/dev/null)"
  if [ -n "${proxy:-}" ]; then export http_proxy=$proxy; fi
  if [ -n "${proxy_tls:-}" ]; then export https_proxy=$proxy_tls; fi
}

# url_encode TEXT: for the query of a URL
url_encode() {
  local text=$1 i c
  for ((i = 0; i < ${#text}; i++)); do
    c=${text:i:1}
    case $c in
      [A-Za-z0-9._~-]) printf '%s' "$c" ;;
      *) printf '%%%02X' "'$c" ;;
    esac
  done
}

# import_image NAME TAR
import_image() {
  local image change changes=() query=
  image=$(image_of "$1")
  mapfile -t changes <"$root/images/$1/config"
  changes+=("LABEL dev.vivarium.recipe=$(recipe_digest "$1")")
  if command -v docker >/dev/null; then
    docker import "${changes[@]/#/--change=}" "$2" "$image"
  else
    for change in "${changes[@]}"; do query+="&changes=$(url_encode "$change")"; done
    engine "/images/create?fromSrc=-&repo=$image&tag=latest$query" -X POST -H 'Content-Type: application/x-tar' -T "$2" &&
      is_current "$1"
  fi
}

# bootstrap NAME SUITE TAR [SOURCES]: a small system with the recipe's packages, from the default mirror where no sources
# are given
bootstrap() {
  local name=$1 packages options=()
  shift
  packages=$(grep -v '^#' "$root/images/$name/packages" | paste -sd,)
  if [ -x "$root/images/$name/customize" ]; then options+=("--customize-hook=$root/images/$name/customize \"\$1\""); fi
  mmdebstrap --variant=essential --include="$packages" "${options[@]}" \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' "$@"
}

# build_image NAME
build_image() {
  local tar=$state/image-$1.tar list=$state/image-$1.sources.list suite=bookworm origin=Debian ID='' VERSION_CODENAME=''
  # shellcheck source=/dev/null
  . /etc/os-release
  case $ID in
    debian) suite=${VERSION_CODENAME:-sid} ;;
    ubuntu) suite=$VERSION_CODENAME origin=Ubuntu ;;
  esac
  use_apt_proxy
  rm -f "$tar"
  apt_sources "$origin" "/usr/share/keyrings/${origin,,}-archive-keyring.gpg" >"$list" || true
  { grep -q " $suite " "$list" && bootstrap "$1" "$suite" "$tar" "$list"; } || bootstrap "$1" "$suite" "$tar" || return
  import_image "$1" "$tar" && rm -f "$tar" "$list"
}

# need_image NAME: builds it where the engine has none, or one of an older recipe
need_image() {
  local image
  image=$(image_of "$1")
  is_current "$1" && return
  if ! command -v mmdebstrap >/dev/null && ! may_install; then
    # Any image of that name will do where it cannot be built.
    image_digest "$image" >/dev/null && return
    die "The image $image is missing. Install mmdebstrap (Debian, as root: apt-get install mmdebstrap) and try again, or give one of your own that name: docker tag IMAGE $image"
  fi
  need mmdebstrap mmdebstrap
  step "building the sandbox image $image" "$(usually "$1")" build_image "$1"
}

# usually NAME: how long building takes here
usually() {
  case $1 in
    python) echo "30 s" ;;
    *) echo "2 min" ;;
  esac
}

# list_images: each recipe, and what the engine has of it
list_images() {
  local name digest stands
  for name in $(recipes); do
    if ! digest=$(image_digest "$(image_of "$name")"); then
      stands="not built; ./vivarium images build $name"
    elif [ "$digest" = "$(recipe_digest "$name")" ]; then
      stands=current
    else
      stands="of another recipe; ./vivarium images build $name"
    fi
    printf '%-18s %s\n' "$(image_of "$name")" "$stands"
  done
}

# build_images NAME…: all where none is named
build_images() {
  local name names=()
  if [ $# -eq 0 ]; then mapfile -t names < <(recipes) && set -- "${names[@]}"; fi
  for name; do
    is_recipe "$name" || die "There is no recipe images/$name. There are: $(recipes | paste -sd' ')." 64
  done
  for name; do need_image "$name"; done
  list_images
}
