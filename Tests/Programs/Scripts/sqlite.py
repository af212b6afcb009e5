import os, sqlite3
path = '/tmp/brique-python.db'
base = sqlite3.connect(path)
base.execute('create table if not exists t (a, b)')
base.execute('delete from t')
base.executemany('insert into t values (?, ?)', [(index, str(index)) for index in range(1000)])
base.commit()
print(base.execute('select count(*), sum(a), max(b) from t').fetchone())
base.close()
os.unlink(path)
