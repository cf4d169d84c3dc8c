// The loop that people write by hand, in C over hiredis: XREADGROUP and one XACK with all ids. Its last argument is the task.
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

// The value of a number, or where a text begins.
static const char *member(const char *task, const char *name) {
  const char *at = strstr(task, name);
  if (at == NULL) exit(2);
  at += strlen(name);
  return at + strspn(at, "\":");
}

static char *text(const char *task, const char *name) {
  const char *at = member(task, name);
  return strndup(at, strcspn(at, "\""));
}

static double cpu(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
  const char *task = argv[argc - 1];
  char *stream = text(task, "\"stream\""), *group = text(task, "\"group\"");
  int batch = atoi(member(task, "\"batchSize\""));
  long messages = atol(member(task, "\"messages\"")), warm_up = atol(member(task, "\"warmUp\""));
  char count[16];
  snprintf(count, sizeof count, "%d", batch);
  puts("ready");
  fflush(stdout);
  redisContext *redis = redisConnect(text(task, "\"host\""), atoi(member(task, "\"port\"")));
  if (redis == NULL || redis->err) return 3;
  const char **ack = malloc(sizeof(char *) * (batch + 3));
  size_t *lengths = malloc(sizeof(size_t) * (batch + 3));
  const char *read[] = {"XREADGROUP", "GROUP", group, "c", "COUNT", count, "BLOCK", "1000", "STREAMS", stream, ">"};
  ack[0] = "XACK", ack[1] = stream, ack[2] = group;
  for (int i = 0; i < 3; i++) lengths[i] = strlen(ack[i]);
  long seen = 0, seen_at_begin = 0, length = 0;
  double cpu_at_begin = 0, began = 0;
  while (seen < messages) {
    redisReply *reply = redisCommandArgv(redis, 11, read, NULL);
    if (reply == NULL || reply->type == REDIS_REPLY_ERROR) return 4;
    if (reply->type == REDIS_REPLY_ARRAY) {
      redisReply *entries = reply->element[0]->element[1];
      int got = (int)entries->elements;
      for (int i = 0; i < got; i++) {
        redisReply **entry = entries->element[i]->element;
        ack[3 + i] = entry[0]->str, lengths[3 + i] = entry[0]->len;
        length += (long)entry[1]->element[1]->len;
      }
      freeReplyObject(redisCommandArgv(redis, 3 + got, ack, lengths));
      seen += got;
    }
    freeReplyObject(reply);
    if (began == 0 && seen >= warm_up) {
      puts("warm");
      fflush(stdout);
      seen_at_begin = seen, cpu_at_begin = cpu(), began = now();
    }
  }
  double wall = now() - began, used = cpu() - cpu_at_begin, measured = (double)(seen - seen_at_begin);
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("{\"seen\":%ld,\"figures\":{\"client CPU µs/message\":%f,\"messages/s\":%f,\"peak RSS MB\":%f}}\n", seen,
         used / measured, measured * 1e6 / wall, usage.ru_maxrss * 1024 / 1e6);
  return length == 0;
}
