# Starts the guest as an engine would: PID 1, a read-only root, /workspace and /tmp in memory, four capabilities, no new
# privileges. Runs in namespaces of its own, so that nothing of it is seen outside. Arguments: the guest, the size of
# each of the two writable places.
set -e
root=/mnt
mount -t tmpfs -o size=1m,mode=755 root $root
for directory in usr bin sbin lib lib64 etc dev; do
  if [ -L /$directory ]; then
    cp -P /$directory $root/$directory
  elif [ -d /$directory ]; then
    mkdir $root/$directory
    mount --rbind /$directory $root/$directory
  fi
done
mkdir $root/proc $root/workspace $root/tmp
mount -t proc proc $root/proc
mount -t tmpfs -o size=$2,mode=1777 workspace $root/workspace
mount -t tmpfs -o size=$2,mode=1777 tmp $root/tmp
cp "$1" $root/init
mount -o remount,ro $root
exec chroot $root setpriv --bounding-set=-all,+setuid,+setgid,+kill,+setpcap --inh-caps=-all --no-new-privs /init
