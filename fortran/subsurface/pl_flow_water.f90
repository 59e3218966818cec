!> Liquid water of the cells of the distributed subsurface, and heads that follow water or ice that others have changed.
!>
!> Ice is that of the land model: it takes pores and slows flow (pl_flow_soil), and the liquid that it takes is gone
!> from the cell. Unsaturated cells get the head of their liquid in the pores that are left; saturated ones keep their
!> pressure (as pl_frozen_soil does for columns).
module pl_flow_water
   use pl_chunk, only: w => chunk_width
   use pl_error, only: error_state, error_type, raise_error
   use pl_flow_exchange, only: exchange_halo, largest_over_ranks
   use pl_flow_model, only: flow_model_type
   use pl_flow_soil, only: class_parameters_type, invert_lanes, lane_water, load_if_new
   use pl_flow_step, only: load_member
   use pl_flow_system, only: evaluate
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: create_ice, follow_ice, follow_water, liquid_water

   real(rk), parameter :: full = 1.0e-8_rk     !! water this close to the open pores counts as saturated [m3 m-3]
   real(rk), parameter :: matched = 1.0e-15_rk !! difference of storage that is round-off [m3 m-3]
   integer, parameter :: most_matches = 12     !! iterations; what is left then is a source [1]

contains

   !> Fields of ice, when the first of it forms.
   subroutine create_ice(model, error)
      type(flow_model_type), intent(inout) :: model
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      integer :: stat
      if (model%has_ice) return
      deallocate (model%ice)
      allocate (model%ices, mold=model%heads, stat=stat)
      if (stat == 0) allocate (model%ice, mold=model%head, stat=stat)
      if (stat == 0) allocate (model%impedance, mold=model%head, stat=stat)
      if (stat /= 0) then
         call raise_error(error, error_state, "not enough memory for the ice of the distributed subsurface; use fewer cells "// &
                          "per rank")
         return
      end if
      model%ices = 0.0_rk
      model%ice = 0.0_rk
      model%impedance = 1.0_rk
      model%has_ice = .true.
      model%is_evaluated = .false.
   end subroutine create_ice

   !> Liquid of a member without what compression adds; 0 where no cell is. All ranks together.
   subroutine liquid_water(model, member, water)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: member                                        !! from 1 [1]
      real(rk), intent(out) :: water(model%nx, model%nz, model%ny)         !! [m3 m-3]
      integer :: j
      call load_member(model, member)
      call evaluate(model)
      !$omp parallel do schedule(static)
      do j = 1, model%ny
         call row_water(model, j, water(:, :, j))
      end do
   end subroutine liquid_water

   !> Liquid of one row.
   subroutine row_water(model, j, water)
      type(flow_model_type), intent(in) :: model
      integer, intent(in) :: j
      real(rk), intent(out) :: water(model%nx, model%nz) !! [m3 m-3]
      type(class_parameters_type) :: now
      real(rk), dimension(w) :: head, storage, found, rate
      real(rk) :: none(w)
      integer :: first, i, k, loaded, source(w)
      loaded = 0
      none = 0.0_rk
      do k = 1, model%nz
         do first = 1, model%nx, w
            do i = 1, w
               source(i) = min(first + i - 1, model%nx)
            end do
            call load_lanes(model, source, k, j, loaded, now)
            head = model%head(source, k, j)
            storage = model%storage(source, k, j)
            call lane_water(now, head, storage, none, found, rate)
            found = merge(min(found, now%porosity), 0.0_rk, model%class(source, k, j) <= model%soil%nclass)
            water(first:min(first + w - 1, model%nx), k) = found(:min(w, model%nx - first + 1))
         end do
      end do
   end subroutine row_water

   !> Parameters of the lanes of a row, with the ice of the member at work.
   subroutine load_lanes(model, source, k, j, loaded, now)
      type(flow_model_type), intent(in) :: model
      integer, intent(in) :: source(w)   !! x of each lane
      integer, intent(in) :: k, j
      integer, intent(inout) :: loaded   !! see load_if_new
      type(class_parameters_type), intent(inout) :: now
      real(rk) :: ice(w)
      ice = 0.0_rk
      if (model%has_ice) ice = model%ice(source, k, j)
      call load_if_new(model%soil, model%class(source, k, j), model%has_ice, ice, loaded, now)
   end subroutine load_lanes

   !> Heads of the cells of a member whose liquid is to be another; all ranks together.
   subroutine follow_water(model, member, water)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: member                                       !! from 1 [1]
      real(rk), intent(in) :: water(model%nx, model%nz, model%ny)         !! liquid, within the open pores [m3 m-3]
      real(rk), allocatable :: present(:, :, :)
      integer :: j
      allocate (present(model%nx, model%nz, model%ny))
      call liquid_water(model, member, present)
      !$omp parallel do schedule(static)
      do j = 1, model%ny
         call invert_row(model, j, abs(water(:, :, j) - present(:, :, j)) > 0.0_rk, water(:, :, j))
      end do
      call take_heads(model, member)
   end subroutine follow_water

   !> Heads of one row where something has changed.
   subroutine invert_row(model, j, is_changed, water)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: j
      logical, intent(in) :: is_changed(model%nx, model%nz)
      real(rk), intent(in) :: water(model%nx, model%nz) !! [m3 m-3]
      type(class_parameters_type) :: now
      real(rk), dimension(w) :: head, found
      integer :: first, i, k, last, loaded, source(w)
      loaded = 0
      do k = 1, model%nz
         do first = 1, model%nx, w
            last = min(first + w - 1, model%nx)
            if (.not. any(is_changed(first:last, k))) cycle
            do i = 1, w
               source(i) = min(first + i - 1, model%nx)
            end do
            call load_lanes(model, source, k, j, loaded, now)
            head = model%head(source, k, j)
            call invert_lanes(model%soil, now, water(source, k), found)
            do i = 1, w
               if (water(source(i), k) >= now%porosity(i) - full) found(i) = max(head(i), -now%entry(i))
               if (.not. is_changed(source(i), k)) found(i) = head(i)
            end do
            model%head(first:last, k, j) = found(:last - first + 1)
         end do
      end do
   end subroutine invert_row

   !> Heads of the member at work become those of its state.
   subroutine take_heads(model, member)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: member !! from 1 [1]
      call exchange_halo(model%exchange, model%nx, model%nz, model%ny, model%head)
      model%heads(:, :, :, member) = model%head
      model%is_evaluated = .false.
   end subroutine take_heads

   !> Give a member other ice: liquid becomes ice or ice liquid, and heads follow; all ranks together.
   !>
   !> `surplus` is the water that the cells should have and their heads do not give; who moves water next puts it in as a
   !> source. It is round-off, but for saturated cells, which keep their pressure: they owe what compression makes of
   !> their lost pores.
   subroutine follow_ice(model, member, ice, surplus)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: member                                 !! from 1 [1]
      real(rk), intent(in) :: ice(model%nx, model%nz, model%ny)     !! as volume of liquid water [m3 m-3]
      real(rk), intent(out) :: surplus(model%nx, model%nz, model%ny) !! as depth on the column [m]
      real(rk), allocatable :: growth(:, :, :), stored(:, :, :), water(:, :, :)
      integer :: j, k
      allocate (water(model%nx, model%nz, model%ny), growth(model%nx, model%nz, model%ny))
      call liquid_water(model, member, water)
      growth = ice - model%ice(1:model%nx, :, 1:model%ny)
      stored = model%storage(1:model%nx, :, 1:model%ny) - growth
      call change_ice(model, member, ice)
      !$omp parallel do schedule(static)
      do j = 1, model%ny
         call invert_row(model, j, abs(growth(:, :, j)) > 0.0_rk, water(:, :, j) - growth(:, :, j))
      end do
      call take_heads(model, member)
      call match_storage(model, member, abs(growth) > 0.0_rk, stored)
      do j = 1, model%ny
         do k = 1, model%nz
            surplus(:, k, j) = merge(model%dz(k)*(stored(:, k, j) - model%storage(1:model%nx, k, j)), 0.0_rk, &
                                     abs(growth(:, k, j)) > 0.0_rk)
         end do
      end do
   end subroutine follow_ice

   !> Enter the ice of a member, with that of the neighbours, and make it that at work.
   subroutine change_ice(model, member, ice)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: member                             !! from 1 [1]
      real(rk), intent(in) :: ice(model%nx, model%nz, model%ny) !! [m3 m-3]
      model%ices(1:model%nx, :, 1:model%ny, member) = ice
      call exchange_halo(model%exchange, model%nx, model%nz, model%ny, model%ices(:, :, :, member))
      call load_member(model, member)
   end subroutine change_ice

   !> Heads whose storage is that given, compression included; the inverted retention curve is near. All ranks together.
   subroutine match_storage(model, member, is_changed, stored)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: member                                       !! from 1 [1]
      logical, intent(in) :: is_changed(model%nx, model%nz, model%ny)     !! cells to match
      real(rk), intent(in) :: stored(model%nx, model%nz, model%ny)        !! [m3 m-3]
      real(rk) :: furthest(1), missing
      integer :: class, i, iteration, j, k
      call load_member(model, member)
      call evaluate(model)
      do iteration = 1, most_matches
         furthest = 0.0_rk
         do j = 1, model%ny
            do k = 1, model%nz
               do i = 1, model%nx
                  if (.not. is_changed(i, k, j)) cycle
                  class = model%class(i, k, j) - 1
                  associate (head => model%head(i, k, j), entry => model%soil%table%entry_head(mod(class, w) + 1, class/w + 1))
                     if (head >= -entry) cycle ! full: its pressure stays
                     missing = stored(i, k, j) - model%storage(i, k, j)
                     if (abs(missing) <= matched) cycle
                     furthest(1) = max(furthest(1), abs(missing))
                     ! a step of Newton's method that stays below saturation and does not more than double the suction
                     head = min(max(head + missing/max(model%capacity(i, k, j), tiny(1.0_rk)), 2.0_rk*head), &
                                min(0.5_rk*head, -entry))
                  end associate
               end do
            end do
         end do
         call largest_over_ranks(model%exchange, furthest)
         if (furthest(1) <= matched) exit
         call take_heads(model, member)
         call load_member(model, member)
         call evaluate(model)
      end do
   end subroutine match_storage

end module pl_flow_water
