/* A libnvidia-ml.so.1 without a GPU: plays the scene in the file named by NVML_SCENE, for tests.

   The scene is read again at every call, so that a test can change it while a process uses the library.
   One statement a line, NAME and then KEY=VALUE pairs; g is the GPU's index, -1 every GPU:

     init    rc=9                               nvmlInit fails
     clock   speed=20                           the scene's time runs 20 times as fast as the clock
     gpu     g=0 name=H100 uuid=GPU-.. total=85899345920 used=1073741824 util=87 power=300000 temp=61
             clock=1980 minor=0 throttle=4 ecc=0 reserve=0 idle_power=80000
     duty    g=0 period=20000 busy=5000         util (and power) only in the first 5 s of every 20 s
     samples g=0 every=167 keep=100             the sample buffer: one a 167 ms, 100 kept; value=N lies
     proc    g=0 pid=123 mem=4096 kind=C gi=1   kind C, G or M; no mem: the driver does not tell
     busy    g=0 pid=123 sm=40                  the process uses 40 percent of the GPU
     mig     g=0 gi=1 uuid=MIG-.. total=.. used=..    the GPU is split; one line an instance
     fail    call=nvmlDeviceGetPowerUsage g=-1 rc=3
     hang    call=nvmlDeviceGetName g=0 seconds=60
     crash   call=nvmlDeviceGetName g=0         follows a null pointer; call=* is every call
     print   call=nvmlInitWithFlags             writes garbage to stdout
     xid     g=1 code=79                        one event for each such line, once

   -DOLD_DRIVER leaves out what drivers before R510 lack. What this cannot prove: the driver's timing,
   permissions, real MIG, PID namespaces. Struct layouts are those of NVIDIA's public nvml.h. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { OK = 0, UNINITIALIZED = 1, INVALID = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, TOO_SMALL = 7,
       NOT_LOADED = 9, TIMED_OUT = 10, GPU_LOST = 15 };
enum { MAX_GPUS = 16, MAX_LINES = 256, NO_VALUE = -1 };

typedef struct { int index, instance; } Device; /* instance -1: the whole GPU */
typedef struct { unsigned pid; unsigned long long bytes; unsigned gi, ci; } Process;
typedef struct { unsigned pid; unsigned long long stamp; unsigned sm, memory, encoder, decoder; } ProcessUse;
typedef struct { unsigned long long stamp; union { double d; unsigned u; unsigned long long l; } value; } Sample;
typedef struct { Device *device; unsigned long long type, data; unsigned gi, ci; } Event;

static char lines[MAX_LINES][512];
static int line_count, initialized, xids_told;
static Device whole[MAX_GPUS], parts[MAX_GPUS][8];

/* --- the scene ----------------------------------------------------------------------------------- */

static void load(void) {
    const char *path = getenv("NVML_SCENE");
    FILE *file = path ? fopen(path, "r") : NULL;
    line_count = 0;
    if (!file) return;
    while (line_count < MAX_LINES && fgets(lines[line_count], sizeof lines[0], file))
        if (lines[line_count][0] != '#' && lines[line_count][0] != '\n') line_count++;
    fclose(file);
}

static int is(int i, const char *statement) {
    size_t n = strlen(statement);
    return !strncmp(lines[i], statement, n) && (lines[i][n] == ' ' || lines[i][n] == '\n');
}

static const char *text(int i, const char *key, char *into, size_t size) {
    char pattern[32];
    snprintf(pattern, sizeof pattern, " %s=", key);
    const char *at = strstr(lines[i], pattern);
    if (!at) return NULL;
    at += strlen(pattern);
    size_t n = strcspn(at, " \n");
    if (n >= size) n = size - 1;
    memcpy(into, at, n);
    into[n] = 0;
    return into;
}

static long long number(int i, const char *key, long long otherwise) {
    char word[64];
    return i >= 0 && text(i, key, word, sizeof word) ? atoll(word) : otherwise;
}

static int find(const char *statement, int gpu) {
    for (int i = 0; i < line_count; i++)
        if (is(i, statement) && (gpu < 0 || number(i, "g", 0) == gpu)) return i;
    return -1;
}

static int count(const char *statement, int gpu) {
    int n = 0;
    for (int i = 0; i < line_count; i++) n += is(i, statement) && number(i, "g", 0) == gpu;
    return n;
}

/* Scene time in milliseconds since the machine's boot. */
static double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (t.tv_sec * 1e3 + t.tv_nsec / 1e6) * number(find("clock", -1), "speed", 1);
}

#ifndef OLD_DRIVER
static double busy_ms_until(int gpu, double ms) {
    int duty = find("duty", gpu);
    if (duty < 0) return ms;
    double period = number(duty, "period", 1000), busy = number(duty, "busy", 500);
    double whole_periods = (double)(long long)(ms / period), rest = ms - whole_periods * period;
    return whole_periods * busy + (rest < busy ? rest : busy);
}
#endif

static int busy_at(int gpu, double ms) {
    int duty = find("duty", gpu);
    if (duty < 0) return 1;
    double period = number(duty, "period", 1000);
    return ms - (double)(long long)(ms / period) * period < number(duty, "busy", 500);
}

static unsigned utilization_at(int gpu, double ms) {
    return busy_at(gpu, ms) ? (unsigned)number(find("gpu", gpu), "util", 0) : 0;
}

static double power_at(int gpu, double ms) {
    int i = find("gpu", gpu);
    return busy_at(gpu, ms) ? number(i, "power", 300000) : number(i, "idle_power", 80000);
}

/* Every entry point comes through here: faults of the scene happen now. */
static int enter(const char *call, int gpu) {
    char word[96];
    load();
    for (int i = 0; i < line_count; i++) {
        if (!text(i, "call", word, sizeof word) || (strcmp(word, call) && strcmp(word, "*"))) continue;
        long long g = number(i, "g", -1);
        if (g >= 0 && g != gpu) continue;
        if (is(i, "print")) { puts("a library that talks"); fflush(stdout); }
        if (is(i, "hang")) usleep(number(i, "seconds", 60) * 1000000);
        if (is(i, "crash")) { int *volatile nowhere = NULL; *nowhere = 1; }
        if (is(i, "fail")) return (int)number(i, "rc", 999);
    }
    return OK;
}

#define ENTER(gpu) \
    do { \
        int rc_ = initialized ? enter(__func__, gpu) : UNINITIALIZED; \
        if (rc_) return rc_; \
    } while (0)
#define SPLIT(d) ((d)->instance < 0 && find("mig", (d)->index) >= 0)

/* --- the library --------------------------------------------------------------------------------- */

int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    int rc = enter(__func__, -1);
    if (rc) return rc;
    if (find("init", -1) >= 0) return (int)number(find("init", -1), "rc", NOT_LOADED);
    initialized = 1;
    return OK;
}
int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
int nvmlShutdown(void) { initialized = 0; return OK; }
const char *nvmlErrorString(int rc) { return rc == GPU_LOST ? "GPU is lost" : "an error of the stub"; }

int nvmlDeviceGetCount_v2(unsigned *n) {
    ENTER(-1);
    *n = 0;
    for (int i = 0; i < line_count; i++) *n += is(i, "gpu");
    return OK;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device **device) {
    ENTER((int)index);
    if (index >= MAX_GPUS || find("gpu", (int)index) < 0) return INVALID;
    whole[index] = (Device){(int)index, -1};
    *device = &whole[index];
    return OK;
}
int nvmlDeviceGetName(Device *d, char *into, unsigned size) {
    ENTER(d->index);
    return text(find("gpu", d->index), "name", into, size) ? OK : NOT_SUPPORTED;
}
int nvmlDeviceGetUUID(Device *d, char *into, unsigned size) {
    ENTER(d->index);
    if (d->instance < 0) return text(find("gpu", d->index), "uuid", into, size) ? OK : NOT_SUPPORTED;
    for (int i = 0; i < line_count; i++)
        if (is(i, "mig") && number(i, "g", 0) == d->index && number(i, "gi", 0) == d->instance)
            return text(i, "uuid", into, size) ? OK : NOT_SUPPORTED;
    return NOT_FOUND;
}
int nvmlDeviceGetMinorNumber(Device *d, unsigned *minor) {
    ENTER(d->index);
    *minor = (unsigned)number(find("gpu", d->index), "minor", d->index);
    return OK;
}

static int memory(Device *d, unsigned long long *total, unsigned long long *used) {
    int i = find("gpu", d->index);
    if (d->instance >= 0)
        for (i = 0; i < line_count; i++)
            if (is(i, "mig") && number(i, "g", 0) == d->index && number(i, "gi", 0) == d->instance) break;
    if (i < 0 || i >= line_count) return NOT_FOUND;
    *total = (unsigned long long)number(i, "total", 0);
    *used = (unsigned long long)number(i, "used", 0);
    return OK;
}
int nvmlDeviceGetMemoryInfo(Device *d, unsigned long long *info) {
    ENTER(d->index);
    unsigned long long total, used, reserve = number(find("gpu", d->index), "reserve", 0);
    int rc = memory(d, &total, &used);
    if (rc) return rc;
    info[0] = total;
    info[1] = total - used - reserve;
    info[2] = used + reserve;
    return OK;
}
#ifndef OLD_DRIVER
int nvmlDeviceGetMemoryInfo_v2(Device *d, void *answer) {
    struct { unsigned version; unsigned long long total, reserved, free, used; } *info = answer;
    ENTER(d->index);
    if (info->version != (sizeof *info | 2u << 24)) return 25;
    int rc = memory(d, &info->total, &info->used);
    if (rc) return rc;
    info->reserved = number(find("gpu", d->index), "reserve", 0);
    info->free = info->total - info->used - info->reserved;
    return OK;
}
#endif

int nvmlDeviceGetUtilizationRates(Device *d, unsigned *rates) {
    ENTER(d->index);
    if (SPLIT(d)) return NOT_SUPPORTED;
    rates[0] = utilization_at(d->index, now_ms());
    rates[1] = rates[0] / 2;
    return OK;
}
int nvmlDeviceGetSamples(Device *d, int kind, unsigned long long since, int *type, unsigned *n, Sample *into) {
    ENTER(d->index);
    int line = find("samples", d->index);
    if (kind != 1 || SPLIT(d) || line < 0) return NOT_SUPPORTED;
    double every = number(line, "every", 167), last = (double)(long long)(now_ms() / every) * every;
    int keep = (int)number(line, "keep", 100), found = 0;
    *type = (int)number(line, "type", 1);
    for (int k = keep - 1; k >= 0; k--) {
        double ms = last - k * every;
        if (ms <= 0 || (unsigned long long)(ms * 1e3) <= since) continue;
        if (into && found < (int)*n) {
            into[found].stamp = (unsigned long long)(ms * 1e3);
            into[found].value.l = number(line, "value", utilization_at(d->index, ms));
            if (*type == 0) into[found].value.d = utilization_at(d->index, ms);
        }
        found++;
    }
    if (!found) return NOT_FOUND;
    if (!into || found < (int)*n) *n = (unsigned)found;
    return OK;
}
int nvmlDeviceGetPowerUsage(Device *d, unsigned *milliwatts) {
    ENTER(d->index);
    *milliwatts = (unsigned)power_at(d->index, now_ms());
    return OK;
}
#ifndef OLD_DRIVER
int nvmlDeviceGetTotalEnergyConsumption(Device *d, unsigned long long *millijoules) {
    ENTER(d->index);
    double ms = now_ms(), busy = busy_ms_until(d->index, ms);
    int i = find("gpu", d->index), speed = (int)number(find("clock", -1), "speed", 1);
    double spent = busy * number(i, "power", 300000) + (ms - busy) * number(i, "idle_power", 80000);
    *millijoules = (unsigned long long)(spent / 1e3 / speed);
    return OK;
}
#endif
int nvmlDeviceGetTemperature(Device *d, int sensor, unsigned *celsius) {
    (void)sensor;
    ENTER(d->index);
    *celsius = (unsigned)number(find("gpu", d->index), "temp", 40);
    return OK;
}
int nvmlDeviceGetClockInfo(Device *d, int kind, unsigned *mhz) {
    (void)kind;
    ENTER(d->index);
    *mhz = (unsigned)number(find("gpu", d->index), "clock", 1980);
    return OK;
}
#ifdef OLD_DRIVER
int nvmlDeviceGetCurrentClocksThrottleReasons(Device *d, unsigned long long *bits) {
#else
int nvmlDeviceGetCurrentClocksEventReasons(Device *d, unsigned long long *bits) {
#endif
    ENTER(d->index);
    *bits = (unsigned long long)number(find("gpu", d->index), "throttle", 0);
    return OK;
}
int nvmlDeviceGetTotalEccErrors(Device *d, int kind, int counter, unsigned long long *errors) {
    (void)kind; (void)counter;
    ENTER(d->index);
    long long ecc = number(find("gpu", d->index), "ecc", NO_VALUE);
    if (ecc < 0) return NOT_SUPPORTED;
    *errors = (unsigned long long)ecc;
    return OK;
}

static int processes(Device *d, const char *kind, unsigned *n, Process *into) {
    unsigned found = 0;
    char word[8];
    for (int i = 0; i < line_count; i++) {
        if (!is(i, "proc") || number(i, "g", 0) != d->index) continue;
        if (strcmp(text(i, "kind", word, sizeof word) ? word : "C", kind)) continue;
        if (into && found < *n)
            into[found] = (Process){(unsigned)number(i, "pid", 0), (unsigned long long)number(i, "mem", -1),
                                    (unsigned)number(i, "gi", -1), (unsigned)number(i, "gi", -1)};
        found++;
    }
    int enough = !found || (into && found <= *n);
    *n = found;
    return enough ? OK : TOO_SMALL;
}
#define LIST(name, kind) \
    int name(Device *d, unsigned *n, Process *into) { ENTER(d->index); return processes(d, kind, n, into); }
#ifdef OLD_DRIVER
LIST(nvmlDeviceGetComputeRunningProcesses_v2, "C")
LIST(nvmlDeviceGetGraphicsRunningProcesses_v2, "G")
#else
LIST(nvmlDeviceGetComputeRunningProcesses_v3, "C")
LIST(nvmlDeviceGetGraphicsRunningProcesses_v3, "G")
LIST(nvmlDeviceGetMPSComputeRunningProcesses_v3, "M")
#endif

int nvmlDeviceGetProcessUtilization(Device *d, ProcessUse *into, unsigned *n, unsigned long long since) {
    ENTER(d->index);
    if (SPLIT(d)) return NOT_SUPPORTED;
    unsigned long long stamp = (unsigned long long)(now_ms() * 1e3);
    int found = 0;
    if (stamp > since && busy_at(d->index, now_ms())) found = count("busy", d->index);
    if (!found) return NOT_FOUND;
    if (!into || (int)*n < found) { *n = (unsigned)found; return TOO_SMALL; }
    *n = 0;
    for (int i = 0; i < line_count; i++)
        if (is(i, "busy") && number(i, "g", 0) == d->index)
            into[(*n)++] = (ProcessUse){(unsigned)number(i, "pid", 0), stamp, (unsigned)number(i, "sm", 0), 0, 0, 0};
    return OK;
}

int nvmlDeviceGetMigMode(Device *d, unsigned *current, unsigned *pending) {
    ENTER(d->index);
    if (find("mig", d->index) < 0) return NOT_SUPPORTED;
    *current = *pending = 1;
    return OK;
}
int nvmlDeviceGetMaxMigDeviceCount(Device *d, unsigned *n) { ENTER(d->index); *n = 7; return OK; }
int nvmlDeviceGetMigDeviceHandleByIndex(Device *d, unsigned slot, Device **part) {
    ENTER(d->index);
    unsigned at = 0;
    for (int i = 0; i < line_count; i++)
        if (is(i, "mig") && number(i, "g", 0) == d->index && at++ == slot) {
            parts[d->index][slot] = (Device){d->index, (int)number(i, "gi", 0)};
            *part = &parts[d->index][slot];
            return OK;
        }
    return NOT_FOUND;
}
int nvmlDeviceGetGpuInstanceId(Device *d, unsigned *gi) { ENTER(d->index); *gi = (unsigned)d->instance; return OK; }

int nvmlEventSetCreate(void **set) { ENTER(-1); *set = whole; return OK; }
int nvmlDeviceRegisterEvents(Device *d, unsigned long long types, void *set) {
    (void)set;
    ENTER(d->index);
    return types == 8 ? OK : NOT_SUPPORTED;
}
int nvmlEventSetWait_v2(void *set, Event *event, unsigned timeout) {
    (void)set; (void)timeout;
    ENTER(-1);
    int seen = 0;
    for (int i = 0; i < line_count; i++)
        if (is(i, "xid") && seen++ == xids_told) {
            xids_told++;
            *event = (Event){&whole[number(i, "g", 0)], 8, (unsigned long long)number(i, "code", 0), ~0u, ~0u};
            return OK;
        }
    return TIMED_OUT;
}
