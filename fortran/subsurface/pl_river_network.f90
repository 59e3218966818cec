!> The river network as a tree: order of the sweep, sums along it, and where a full lake spills.
!>
!> A cell hands its water to one cell, `downstream`, or to one of the two words of pl_river_flood.
module pl_river_network
   use pl_error, only: error_input, error_type, raise_error
   use pl_kinds, only: rk
   use pl_river_flood, only: leaves_domain, stays_in_sink
   implicit none (type, external)
   private
   public :: check_downstream, find_spills, order_upstream_first, sum_along

   integer, parameter :: most_named = 8 !! cells of a cycle that a message names

contains

   !> Whether every cell hands its water to another cell of the network or to one of the two words.
   subroutine check_downstream(downstream, what, error)
      integer, intent(in) :: downstream(:)                !! (ncell)
      character(len=*), intent(in) :: what                !! name of the array
      type(error_type), allocatable, intent(out) :: error
      character(len=160) :: text
      integer :: cell
      do cell = 1, size(downstream)
         if (downstream(cell) >= stays_in_sink .and. downstream(cell) <= size(downstream) .and. &
             downstream(cell) /= cell) cycle
         write (text, "(a, ': cell ', i0, ' drains to ', i0, '; expected another below ', i0, ', outlet or sink')") &
            what, cell - 1, downstream(cell) - 1, size(downstream)
         call raise_error(error, error_input, trim(text))
         return
      end do
   end subroutine check_downstream

   !> Order the cells so that water always arrives before its cell is reached; a river is followed as far as it goes.
   subroutine order_upstream_first(downstream, spill, order, error)
      integer, intent(in) :: downstream(:)                !! (ncell)
      integer, intent(in) :: spill(:)                     !! (ncell) cell that a full lake spills to; 0 without
      integer, intent(out) :: order(:)                    !! (ncell) cells, upstream first
      type(error_type), allocatable, intent(out) :: error
      integer, allocatable :: waiting(:), stack(:)
      integer :: ncell, cell, done, top, next, way
      ncell = size(downstream)
      allocate (waiting(ncell), stack(ncell))
      waiting = 0
      do cell = 1, ncell
         do way = 1, 2
            next = follower(cell, way, downstream, spill)
            if (next > 0) waiting(next) = waiting(next) + 1
         end do
      end do
      top = 0
      do cell = ncell, 1, -1
         if (waiting(cell) > 0) cycle
         top = top + 1
         stack(top) = cell
      end do
      done = 0
      order = 0
      do while (top > 0)
         cell = stack(top)
         top = top - 1
         done = done + 1
         order(done) = cell
         do way = 1, 2
            next = follower(cell, way, downstream, spill)
            if (next <= 0) cycle
            waiting(next) = waiting(next) - 1
            if (waiting(next) > 0) cycle
            top = top + 1
            stack(top) = next
         end do
      end do
      if (done < ncell) call name_cycle(downstream, spill, waiting, error)
   end subroutine order_upstream_first

   !> Cell that receives the water of another by way 1 (river) or 2 (spill); 0 or less if none does.
   pure integer function follower(cell, way, downstream, spill)
      integer, intent(in) :: cell          !! the cell
      integer, intent(in) :: way           !! 1 or 2
      integer, intent(in) :: downstream(:) !! (ncell)
      integer, intent(in) :: spill(:)      !! (ncell)
      follower = merge(downstream(cell), spill(cell), way == 1)
   end function follower

   !> Make the error that names the cells of a cycle, by their numbers from 0.
   subroutine name_cycle(downstream, spill, waiting, error)
      integer, intent(in) :: downstream(:)                !! (ncell)
      integer, intent(in) :: spill(:)                     !! (ncell)
      integer, intent(in) :: waiting(:)                   !! (ncell) above 0 in and below cycles
      type(error_type), allocatable, intent(out) :: error
      character(len=400) :: text
      character(len=16) :: word
      integer :: cell, start, count
      cell = findloc(waiting > 0, .true., dim=1)
      do count = 1, size(downstream) ! every walk ends in a cycle: what is below a cycle leads nowhere else
         cell = merge(downstream(cell), spill(cell), downstream(cell) > 0)
         if (cell <= 0) exit
      end do
      if (cell <= 0) then
         call raise_error(error, error_input, "river network: the directions form a cycle through spilling lakes")
         return
      end if
      start = cell
      text = "river network: the directions form a cycle through the cells "
      do count = 1, most_named
         write (word, "(i0)") cell - 1
         text = trim(text)//" "//trim(word)//" ->"
         cell = merge(downstream(cell), spill(cell), downstream(cell) > 0)
         if (cell == start) exit
      end do
      write (word, "(i0)") start - 1
      if (cell /= start) word = "..."
      call raise_error(error, error_input, trim(text)//" "//trim(word)// &
                       "; correct them, or take the directions from elevation")
   end subroutine name_cycle

   !> Sums along the network.
   pure subroutine sum_along(order, downstream, area, time, upstream_area, terminal, travel_time)
      integer, intent(in) :: order(:)            !! (ncell) upstream first
      integer, intent(in) :: downstream(:)       !! (ncell)
      real(rk), intent(in) :: area(:)            !! (ncell) of the cell [m2]
      real(rk), intent(in) :: time(:)            !! (ncell) for passing the cell [s]
      real(rk), intent(out) :: upstream_area(:)  !! (ncell) of the cell and all above it [m2]
      integer, intent(out) :: terminal(:)        !! (ncell) outlet or sink that the water reaches
      real(rk), intent(out) :: travel_time(:)    !! (ncell) to the end of the river, the cell included [s]
      integer :: place, cell, next
      upstream_area = area
      do place = 1, size(order)
         cell = order(place)
         next = downstream(cell)
         if (next > 0) upstream_area(next) = upstream_area(next) + upstream_area(cell)
      end do
      do place = size(order), 1, -1
         cell = order(place)
         next = downstream(cell)
         if (next > 0) then
            terminal(cell) = terminal(next)
            travel_time(cell) = travel_time(next) + time(cell)
         else
            terminal(cell) = cell
            travel_time(cell) = merge(0.0_rk, time(cell), next == stays_in_sink)
         end if
      end do
   end subroutine sum_along

   !> Where lakes spill: the first cell beyond their basin on the way that the fully flooded surface drains.
   !>
   !> A way that leads back to the lake through other spilling lakes is followed on; where it leaves the domain first,
   !> the water does so too. Lakes that do not spill are left out.
   pure subroutine find_spills(downstream, terminal, flooded_way, can_spill, spill)
      integer, intent(in) :: downstream(:)  !! (ncell)
      integer, intent(in) :: terminal(:)    !! (ncell) outlet or sink of each cell
      integer, intent(in) :: flooded_way(:) !! (ncell) directions of the surface with all depressions filled
      logical, intent(in) :: can_spill(:)   !! (ncell) sinks whose lake may be full
      integer, intent(out) :: spill(:)      !! (ncell) cell, or 0: out of the domain, or no spill
      integer :: sink, cell
      spill = leaves_domain
      do sink = 1, size(downstream)
         if (downstream(sink) /= stays_in_sink .or. .not. can_spill(sink)) cycle
         cell = flooded_way(sink)
         do while (cell > 0)
            if (.not. leads_to(sink, cell, terminal, spill)) exit
            cell = flooded_way(cell)
         end do
         spill(sink) = max(cell, leaves_domain)
      end do
   end subroutine find_spills

   !> Whether water at `start` may reach `sink`, through lakes that spill.
   pure logical function leads_to(sink, start, terminal, spill)
      integer, intent(in) :: sink        !! the lake
      integer, intent(in) :: start       !! a cell
      integer, intent(in) :: terminal(:) !! (ncell)
      integer, intent(in) :: spill(:)    !! (ncell) of lakes so far; they form no cycle
      integer :: cell
      cell = terminal(start)
      do
         leads_to = cell == sink
         if (leads_to) return
         if (spill(cell) <= 0) return
         cell = terminal(spill(cell))
      end do
   end function leads_to

end module pl_river_network
