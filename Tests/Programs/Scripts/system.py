import mmap, os, signal, tempfile, time
folder = tempfile.mkdtemp()
path = folder + '/file'
with open(path, 'wb') as file:
    file.write(bytes(range(256)) * 100)
view = mmap.mmap(os.open(path, os.O_RDWR), 0)
view[0] = 9
view.flush()
print(os.stat(path).st_size, open(path, 'rb').read(3), sorted(os.listdir(folder)))
signal.signal(signal.SIGALRM, lambda *_: print('alarm'))
signal.setitimer(signal.ITIMER_REAL, 0.02)
time.sleep(0.1)
os.unlink(path)
os.rmdir(folder)
print(os.path.exists(folder))
